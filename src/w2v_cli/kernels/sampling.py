"""Subsampling and negative sampling: keep probabilities, and the alias table that negatives are drawn from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import SamplingSettings
from w2v_cli.jit.njit import njit
from w2v_cli.kernels.philox import Purpose, draw_words, to_integers, to_unit_interval, to_unit_interval_53


def keep_probabilities(counts: NDArray[np.int64], threshold: float) -> NDArray[np.float32]:
    """Return the probability that subsampling keeps an occurrence of each word, (V,) float32.

    min(1, √(t/f) + t/f), f the word's share of the corpus: word2vec.c and fastText. NOTE: Mikolov et al. 2013b, eq. 5
    has √(t/f) alone; the programs that everybody compares with keep a little more. A threshold of 0 keeps everything.

    Args:
        counts: (V,) int64, the occurrences of each word.
        threshold: t, a share of the corpus; 0 disables subsampling.
    """
    if threshold == 0:
        return np.ones(len(counts), dtype=np.float32)
    ratio: NDArray[np.float64] = threshold * counts.sum() / counts
    return np.minimum(1.0, np.sqrt(ratio) + ratio).astype(np.float32)


def draw_kept(
    seed: int, epoch: int, word_ids: NDArray[np.int32], keep_probability: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return the corpus positions that subsampling keeps in this epoch, rising."""
    positions = np.arange(len(word_ids), dtype=np.int64)
    if keep_probability.min() >= 1:
        return positions
    draws = to_unit_interval(draw_words(seed, epoch, positions, Purpose.SUBSAMPLING)[0])
    return positions[draws < keep_probability[word_ids]]


@dataclass(frozen=True)
class NegativeTable:
    """An alias table (Walker 1977, Vose 1991): draws a word from the negative distribution in constant time.

    A cell holds its own word with `own_share` and `alias` otherwise.

    Attributes:
        own_share: (V,) float32.
        alias: (V,) int32.
        upper: (V,) float64, the sum of the weights of all words up to each one.
    """

    own_share: NDArray[np.float32]
    alias: NDArray[np.int32]
    upper: NDArray[np.float64]

    def pick(self, cell_words: NDArray[np.uint32], share_words: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Return a word id for each pair of random 32-bit words."""
        cells = to_integers(cell_words, len(self.alias)).astype(np.int32)
        return np.where(to_unit_interval(share_words) < self.own_share[cells], cells, self.alias[cells])

    def pick_other(
        self, targets: NDArray[np.int32], high_words: NDArray[np.uint32], low_words: NDArray[np.uint32]
    ) -> NDArray[np.int32]:
        """Return a word id that is not the target for each pair of random words: the distribution without the target.

        The target's interval is cut out of the line of all weights, and a point is drawn on what remains.
        """
        begins = np.where(targets > 0, self.upper[targets - 1], 0.0)
        weights = self.upper[targets] - begins
        points = to_unit_interval_53(high_words, low_words) * (self.upper[-1] - weights)
        is_above = (points >= begins) & (targets < len(self.upper) - 1)
        others = np.searchsorted(self.upper, points + np.where(is_above, weights, 0.0), side="right")
        above, below = np.maximum(others, targets + 1), np.minimum(others, targets - 1)  # rounding may hit the target
        picked: NDArray[np.int32] = np.minimum(np.where(is_above, above, below), len(self.upper) - 1).astype(np.int32)
        return picked


def build_negative_table(counts: NDArray[np.int64], exponent: float) -> NegativeTable:
    """Return the alias table of the distribution ∝ count^exponent (Mikolov et al. 2013b, section 2.2: 0.75)."""
    weights = counts.astype(np.float64) ** exponent
    shares = weights * (len(counts) / weights.sum())
    alias = np.arange(len(counts), dtype=np.int32)
    small, large = np.empty_like(alias), np.empty_like(alias)
    _fill_cells(shares, alias, small, large)
    return NegativeTable(shares.astype(np.float32), alias, np.cumsum(weights, dtype=np.float64))


@njit()
def _fill_cells(shares: Any, alias: Any, small: Any, large: Any) -> None:
    """Fill each cell that is not full, in place, from one that is more than full; small, large: (V,) buffers."""
    smalls = larges = 0
    for word_id in range(len(shares)):
        if shares[word_id] < 1:
            small[smalls] = word_id
            smalls += 1
        else:
            large[larges] = word_id
            larges += 1
    while smalls > 0 and larges > 0:
        poor, rich = small[smalls - 1], large[larges - 1]
        smalls -= 1
        alias[poor] = rich
        shares[rich] -= 1 - shares[poor]
        if shares[rich] < 1:
            larges -= 1
            small[smalls] = rich
            smalls += 1
    for i in range(smalls):  # left over by rounding: these cells are full
        shares[small[i]] = 1.0
    for i in range(larges):
        shares[large[i]] = 1.0


def build_distributions(
    counts: NDArray[np.int64], sampling: SamplingSettings
) -> tuple[NDArray[np.float32], NegativeTable]:
    """Return the keep probability of each word, (V,), and the table of negatives, for its counts (V,)."""
    return keep_probabilities(counts, sampling.subsample), build_negative_table(counts, sampling.exponent)


def draw_negatives(
    table: NegativeTable,
    targets: NDArray[np.int32],
    positions: NDArray[np.int64],
    slots: NDArray[np.int64],
    *,
    slots_per_position: int,
    negatives: int,
    seed: int,
    epoch: int,
) -> NDArray[np.int32]:
    """Return `negatives` word ids for each target, (B, K) int32; one that equals its target is drawn again.

    A target is known by its centre's corpus position and its slot in [0, slots_per_position): 0 in CBOW, its place in
    the window in skip-gram. The same word may be drawn twice for one target.
    """
    draws_per_slot = (negatives + 1) // 2  # a draw's four words make two negatives
    draws = slots[:, None] * draws_per_slot + np.arange(draws_per_slot)
    words = draw_words(seed, epoch, positions[:, None], Purpose.NEGATIVES, draws)
    drawn = np.stack((table.pick(words[0], words[1]), table.pick(words[2], words[3])), axis=-1)
    drawn = drawn.reshape(len(targets), 2 * draws_per_slot)[:, :negatives].copy()
    row, column = clash = np.nonzero(drawn == targets[:, None])
    draw = draws[row, column // 2] + slots_per_position * draws_per_slot
    words = draw_words(seed, epoch, positions[row], Purpose.NEGATIVES, draw)
    is_first = column % 2 == 0
    high_words, low_words = np.where(is_first, words[0], words[2]), np.where(is_first, words[1], words[3])
    drawn[clash] = table.pick_other(targets[row], high_words, low_words)
    return drawn
