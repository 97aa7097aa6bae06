"""The marks of a whole text, and what they mean in each part of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.corpus.resolving import follow_ids
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.system.disk_array import DiskArray


class Segment(NamedTuple):
    """A part of the text whose marks have one meaning.

    marks: their number; generation: of the words, whose ids change when some are forgotten; run_offsets, run_words: its
    part of those of EncodedChunk.
    """

    marks: int
    generation: int
    run_offsets: slice
    run_words: slice


class SegmentMeaning(NamedTuple):
    """A segment's marks, the final ids of its words by their ids in the marks, and the words of its runs (Meaning)."""

    marks: NDArray[np.int32]
    final_ids: NDArray[np.int32]
    run_offsets: NDArray[np.int64]
    run_words: NDArray[np.int32]


@dataclass
class EncodedChunk:
    """The marks, one after the other, and what they mean in each of the `segments`.

    run_offsets, run_words: of each segment, one after the other: the words of run r are run_words[run_offsets[r] :
    run_offsets[r + 1]], ids in the segment's generation or SENTENCE_END. generations: all but the last, each the part
    of next_ids that says of each of its words the id in the next one, -1 where it was forgotten. words: the last
    generation, with its counts. lost_words, lost_occurrences: forgotten; pruned_below: each of them occurred less often
    than that since it was last met anew; 0: none. The others: how much of it there was.
    """

    marks: DiskArray
    run_offsets: DiskArray
    run_words: DiskArray
    next_ids: DiskArray
    segments: list[Segment] = field(default_factory=list)
    generations: list[slice] = field(default_factory=list)
    words: WordTable = field(default_factory=WordTable)
    lost_words: int = 0
    lost_occurrences: int = 0
    pruned_below: int = 0
    invalid_characters: int = 0
    lines: int = 0
    blank_lines: int = 0
    long_tokens: int = 0
    long_bytes: int = 0

    @classmethod
    def empty(cls, beside: Path | None) -> "EncodedChunk":
        """Return the marks of no text yet; beside: as for DiskArray."""
        return cls(
            DiskArray(np.int32, beside),
            DiskArray(np.int64, beside),
            DiskArray(np.int32, beside),
            DiskArray(np.int32, beside),
        )

    def iterate_segments(self, final_ids: NDArray[np.int32]) -> Iterator[SegmentMeaning]:
        """Yield what each segment means, once; final_ids: of the words of the last generation, -1 where dropped."""
        marks, run_offsets, run_words = self.marks.read(), self.run_offsets.read(), self.run_words.read()
        next_ids = self.next_ids.read()
        final_ids_by_generation = [final_ids]
        for generation in reversed(self.generations):  # in place, as below: in their file, not in memory
            follow_ids(next_ids[generation], final_ids_by_generation[-1], next_ids[generation])
            final_ids_by_generation.append(next_ids[generation])
        first = 0
        for segment in self.segments:
            of_generation = final_ids_by_generation[len(self.generations) - segment.generation]
            of_runs = run_words[segment.run_words]
            follow_ids(of_runs, of_generation, of_runs)
            yield SegmentMeaning(
                marks[first : first + segment.marks], of_generation, run_offsets[segment.run_offsets], of_runs
            )
            first += segment.marks
