"""The plan of an epoch on a cluster: rounds of shards, the same on any cluster.

A shard is a part of the text for one worker; a round is the shards that are trained side by side from one state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from w2v_cli.config.schema import ClusterSettings
from w2v_cli.corpus.parts import FileFacts
from w2v_cli.corpus.sources import Source

_ROUNDS_WANTED = 100  # in an epoch: what small texts need to learn as much as on one machine (docs/adr/0023)
_LEAST_WORDS, _MOST_WORDS = 1000, 1_000_000  # of a shard, if the setting is null


@dataclass(frozen=True)
class Shard:
    """A part of the text for one worker.

    Attributes:
        number: among all of an epoch, from 0.
    """

    number: int
    sources: tuple[Source, ...]
    size_bytes: int

    @property
    def label(self) -> str:
        """The place of the shard, for messages."""
        first = self.sources[0]
        place = f" from byte {first.part.first:,}" if first.part is not None else ""
        more = f" and {len(self.sources) - 1:,} more" if len(self.sources) > 1 else ""
        return f"{first.label}{place}{more}"


@dataclass(frozen=True)
class Round:
    """Shards that start from the same vectors.

    Attributes:
        ends_at: the share of the epoch, 0 to 1, done after it.
    """

    shards: tuple[Shard, ...]
    ends_at: float


def plan_rounds(
    files: Sequence[tuple[Source, FileFacts]], kept_words: int, settings: ClusterSettings
) -> tuple[Round, ...]:
    """Return the rounds of an epoch: shards of equal bytes.

    The text is cut into as many stretches as a round has shards, and a round takes the next shard of each. Its shards
    are far apart in the text: neighbours are about the same things, pull the same words the same way, and learn less
    together (docs/adr/0023). A file that cannot be cut belongs to the shard in which it begins. Shards without text
    are left out.

    Args:
        files: the sources with their facts; all sizes are known.
        kept_words: occurrences of an epoch.
        settings: the number of shards, and the words between two rounds.
    """
    total = max(sum(facts.size or 0 for _, facts in files), 1)
    count = rounds_wanted(kept_words, settings)
    cuts = [total * number // (count * settings.shards) for number in range(count * settings.shards + 1)]
    shards = _cut(files, cuts)
    rounds, done = [], 0
    for first in range(count):
        of_round = tuple(shard for shard in shards[first::count] if shard.sources)
        done += sum(shard.size_bytes for shard in of_round)
        if of_round:
            rounds.append(Round(of_round, done / total))
    return tuple(rounds)


def rounds_wanted(kept_words: int, settings: ClusterSettings) -> int:
    """Return the number of rounds of an epoch with this many kept words.

    >>> rounds_wanted(12_000_000, ClusterSettings()), rounds_wanted(10**10, ClusterSettings())
    (100, 2500)
    """
    usual = min(max(kept_words // (_ROUNDS_WANTED * settings.shards), _LEAST_WORDS), _MOST_WORDS)
    return max(round(kept_words / ((settings.sync_words or usual) * settings.shards)), 1)


def most_words(rounds: Sequence[Round], kept_words: int) -> int:
    """Return about how many kept words the largest shard of an epoch has."""
    sizes = [shard.size_bytes for of_round in rounds for shard in of_round.shards]
    return round(kept_words * max(sizes) / max(sum(sizes), 1))


def _cut(files: Sequence[tuple[Source, FileFacts]], cuts: Sequence[int]) -> list[Shard]:
    """Return the shards between the cuts, which are byte positions in all files laid end to end."""
    begins = [0]
    for _, facts in files:
        begins.append(begins[-1] + (facts.size or 0))
    shards, at = [], 0
    for number, (first, last) in enumerate(pairwise(cuts)):
        sources: list[Source] = []
        size = 0
        while at < len(files) and begins[at] < last:
            source, facts = files[at]
            if facts.has_parts:
                begin, end = max(first, begins[at]) - begins[at], min(last, begins[at + 1]) - begins[at]
                sources.append(facts.part(source, begin, end))
                size += end - begin
            elif begins[at] >= first:
                sources.append(facts.whole(source))
                size += begins[at + 1] - begins[at]
            if begins[at + 1] > last:
                break
            at += 1
        shards.append(Shard(number, tuple(sources), size))
    return shards
