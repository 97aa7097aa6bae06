"""The writing of a text of word ids as lines, in blocks, by several threads."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.jit.memory import copy_eight
from w2v_cli.jit.njit import njit
from w2v_cli.system.prefetch import prefetch_calls
from w2v_cli.vectors import encode_words

_WORDS_AT_ONCE = 1 << 17
_BLOCKS_AHEAD = 2  # for each thread
_EIGHT = 8  # bytes, copied at once
_SPACE, _LINE_FEED = 32, 10


def write_blocks(
    words: Sequence[str], word_ids: NDArray[np.int32], sentence_offsets: NDArray[np.int64], *, threads: int
) -> Iterator[bytes]:
    """Yield a text as UTF-8 in blocks: a line for each sentence, spaces between words.

    Args:
        words: (V,), by word id.
        word_ids: as in EncodedText.
        sentence_offsets: as in EncodedText.
        threads: how many threads write.
    """
    text, starts = encode_words(words)
    letters = np.append(text, np.zeros(_EIGHT, np.uint8))
    lengths = np.diff(starts)

    def write(first: int) -> bytes:
        ids = word_ids[first : first + _WORDS_AT_ONCE]
        size = int(lengths[ids].sum()) + len(ids)
        block = np.empty(size + _EIGHT, np.uint8)
        sentence = int(np.searchsorted(sentence_offsets, first, side="right"))
        _write_words(ids, first, sentence_offsets, sentence, starts, letters, block)
        return block[:size].tobytes()

    calls = (partial(write, first) for first in range(0, len(word_ids), _WORDS_AT_ONCE))
    yield from prefetch_calls(calls, threads=threads, ahead=_BLOCKS_AHEAD * threads)


@njit()
def _write_words(ids: Any, before: int, offsets: Any, sentence: int, starts: Any, letters: Any, block: Any) -> None:
    """Write words into `block`. `before` words come before them, and they begin in sentence `sentence` - 1.

    `letters` and `block` need eight bytes of room at their ends.
    """
    at = 0
    for i in range(len(ids)):
        begin, end = starts[ids[i]], starts[ids[i] + 1]
        for place in range(begin, end, _EIGHT):
            copy_eight(block, at + place - begin, letters, place)
        at += end - begin
        if before + i + 1 == offsets[sentence]:
            block[at] = _LINE_FEED
            sentence += 1
        else:
            block[at] = _SPACE
        at += 1
