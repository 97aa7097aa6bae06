"""The compiled twin of windows.draw_windows and of a block's draws, for one span of the corpus at a time (Numba)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.njit import njit, njit_part
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES
from w2v_cli.kernels.block.philox_numba import philox_words
from w2v_cli.kernels.philox import Purpose

_SUBSAMPLING, _WINDOW, _NEGATIVES = (np.uint64(purpose) for purpose in list(Purpose)[:3])
_UNIT = np.float32(2**-24)
_BYTE, _HALF = np.uint64(8), np.uint64(32)


class Text(NamedTuple):
    """The corpus and its distributions, as EncodedText, keep_probabilities and NegativeTable have them."""

    word_ids: NDArray[np.int32]
    sentence_offsets: NDArray[np.int64]
    keep_probability: NDArray[np.float32]
    own_share: NDArray[np.float32]
    alias: NDArray[np.int32]


class Draws(NamedTuple):
    """The inputs of the draws: the seed and the settings of the window."""

    seed: np.uint64
    window: int
    shrink_window: bool
    partial_windows: bool


class KeptWords(NamedTuple):
    """The kept words of a span, and up to `window` kept words before and after it; filled by `draw_span`.

    Attributes:
        word_ids, positions: of each kept word.
        left, right: the reach of a centre's window; 0 for a word that is not a centre.
        chances: the draws for each position, a work array.
    """

    word_ids: NDArray[np.int32]
    positions: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    chances: NDArray[np.uint32]


class BlockBounds(NamedTuple):
    """A block among the kept words: its centres begin … end, its context words low … high."""

    begin: int
    end: int
    low: int
    high: int


def build_kept_words(span_words: int, window: int) -> KeptWords:
    """Return buffers for the kept words of a span."""
    size = span_words + 2 * window + BLOCK_CENTRES  # the last block may be short: its rest is read, and no centre
    word_ids, left, right = (np.zeros(size, np.int32) for _ in range(3))
    return KeptWords(word_ids, np.zeros(size, np.int64), left, right, np.zeros(size, np.uint32))


@njit_part()
def draw_span(text: Text, draws: Draws, epoch: int, start: int, stop: int, kept: KeptWords) -> Any:
    """Fill `kept` for the corpus positions start … stop; return (count, first, last), the span being first … last."""
    begins = text.sentence_offsets[_sentence_after(text, start) - 1]
    before, position = start, start  # go back to where `window` words are kept, or the sentence begins
    count: Any = 0
    while position > begins and count < draws.window:
        position -= 1
        if _is_kept(text, draws, epoch, position):
            before = position
            count += 1
    count = np.int64(0)  # a Python 0 is another type, and compiles the callee a second time
    for position in range(before, start):
        kept.positions[count] = position
        count += _is_kept(text, draws, epoch, position)
    first = count
    last = count = _keep_of_span(text, draws, epoch, start, stop, kept, first)
    position = stop
    ends = text.sentence_offsets[_sentence_after(text, stop - 1)]
    while position < ends and count < last + draws.window:
        kept.positions[count] = position
        count += _is_kept(text, draws, epoch, position)
        position += 1
    for i in range(count):
        kept.word_ids[i] = text.word_ids[kept.positions[i]]
    _draw_reaches(text, draws, epoch, kept, count, first, last)
    return count, first, last


@njit_part()
def _keep_of_span(text: Text, draws: Draws, epoch: int, start: int, stop: int, kept: KeptWords, first: int) -> int:
    """Fill `kept` from `first` on with the words of start … stop that are kept; return how many there are then."""
    for i in range(stop - start):
        kept.positions[first + i] = start + i
    _draw_chances(draws, epoch, _SUBSAMPLING, kept, first, first + stop - start)
    count = first
    for i in range(stop - start):
        keep = text.keep_probability[text.word_ids[start + i]]
        is_kept = np.float32(kept.chances[first + i] >> _BYTE) * _UNIT < keep
        kept.positions[count] = start + i  # never ahead of i
        count += is_kept | (keep >= np.float32(1))
    return count


@njit_part()
def _draw_chances(draws: Draws, epoch: int, purpose: Any, kept: KeptWords, first: int, last: int) -> None:
    """Fill chances with the first word drawn for each position, several at a time in vector registers."""
    for i in range(first, last):
        kept.chances[i] = philox_words(kept.positions[i], epoch, purpose, 0, draws.seed)[0]


@njit_part()
def _sentence_after(text: Text, position: int) -> int:
    """Return the first sentence that begins after a position, by bisection."""
    low, high = 0, len(text.sentence_offsets)
    while low < high:
        middle = (low + high) // 2
        if text.sentence_offsets[middle] <= position:
            low = middle + 1
        else:
            high = middle
    return low


@njit(inline="always")
def _is_kept(text: Text, draws: Draws, epoch: int, position: int) -> bool:
    """Return whether subsampling keeps the occurrence at a position; see sampling.draw_kept."""
    keep = text.keep_probability[text.word_ids[position]]
    if keep >= np.float32(1):
        return True
    word = philox_words(position, epoch, _SUBSAMPLING, 0, draws.seed)[0]
    is_kept: bool = np.float32(word >> _BYTE) * _UNIT < keep
    return is_kept


@njit_part()
def _draw_reaches(text: Text, draws: Draws, epoch: int, kept: KeptWords, count: int, first: int, last: int) -> None:
    """Fill left and right for the words first … last; see windows.draw_windows."""
    kept.left[:] = 0
    kept.right[:] = 0
    if draws.shrink_window:
        _draw_chances(draws, epoch, _WINDOW, kept, first, last)
    sentence = _sentence_after(text, kept.positions[0])
    begin = 0
    while begin < count:
        while text.sentence_offsets[sentence] <= kept.positions[begin]:
            sentence += 1
        end = begin
        while end < count and kept.positions[end] < text.sentence_offsets[sentence]:
            end += 1
        for i in range(max(begin, first), min(end, last)):
            reach: Any = draws.window
            if draws.shrink_window:
                reach = 1 + np.int64((np.uint64(kept.chances[i]) * np.uint64(draws.window)) >> _HALF)
            left, right = min(i - begin, reach), min(end - 1 - i, reach)
            if draws.partial_windows or (left == reach and right == reach):
                kept.left[i], kept.right[i] = left, right
        begin = end


@njit_part()
def draw_shared_negatives(text: Text, draws: Draws, epoch: int, position: int, negatives: Any) -> None:
    """Fill `negatives` (N,), N even, for the block whose first centre is at `position`: two from each draw."""
    for draw in range(len(negatives) // 2):
        words = philox_words(position, epoch, _NEGATIVES, draw, draws.seed)
        negatives[2 * draw] = _pick(text, words[0], words[1])
        negatives[2 * draw + 1] = _pick(text, words[2], words[3])


@njit(inline="always")
def _pick(text: Text, cell_word: Any, share_word: Any) -> Any:
    """Return a word id; see NegativeTable.pick."""
    cell = np.int64((cell_word * np.uint64(len(text.alias))) >> _HALF)
    return cell if np.float32(share_word >> _BYTE) * _UNIT < text.own_share[cell] else text.alias[cell]
