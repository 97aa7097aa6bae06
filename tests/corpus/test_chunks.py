"""Bytes as they come → blocks → pieces that end at white space, whatever the borders."""

import io
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.corpus.chunks import Chunker, iterate_blocks, read_fully, with_whole_head

chunks = st.lists(st.binary(max_size=9), max_size=9)
files = st.lists(
    st.lists(st.sampled_from([b"a", b"bc", b" ", b"\n", b"d\te", b"\x0c", b"x" * 9, b""]), max_size=12).map(b"".join),
    max_size=5,
)


@given(chunks, st.integers(1, 20))
def test_blocks_are_the_chunks_in_equal_sizes(chunks, size):
    """All but the last block have the size that was asked for; joined they are the chunks, joined."""
    blocks = list(iterate_blocks(chunks, size))

    assert b"".join(blocks) == b"".join(chunks)
    assert all(len(block) == size for block in blocks[:-1])
    assert all(0 < len(block) <= size for block in blocks)


@given(chunks, st.integers(0, 20))
def test_a_beginning_is_whole(chunks, size):
    """The first chunk has at least so many bytes, if there are so many, and none is lost."""
    beginning, everything = with_whole_head(iter(chunks), size)
    everything = list(everything)

    assert everything[0] == beginning
    assert b"".join(everything) == b"".join(chunks)
    assert len(beginning) >= min(size, len(b"".join(chunks)))


def test_a_pipe_is_read_until_there_is_enough():
    """read_fully asks again where it gets less than it wanted."""
    file = io.BytesIO(b"abcdef")

    assert read_fully(lambda size: file.read(min(size, 2)), 5) == b"abcde"
    assert read_fully(lambda size: file.read(min(size, 2)), 5) == b"f"


def with_ends(text, block_bytes):
    """Yield the blocks of a file, and whether it ends with each."""
    blocks = list(iterate_blocks([text], block_bytes))
    for number, block in enumerate(blocks, start=1):
        yield block, number == len(blocks)


@given(files, st.integers(1, 12), st.integers(1, 12), st.sampled_from([2, 6, 99]))
def test_pieces_are_the_text_cut_at_white_space(files, block_bytes, size, longest):
    """Nothing but the ends of too long tokens is lost, no token is cut in two, and file ends are where they were."""
    texts = [text + b"\n" for text in files]
    cutter = Chunker(size, longest)
    pieces = list(cutter.iterate_chunks(block for text in texts for block in with_ends(text, block_bytes)))

    joined, whole = b"".join(piece for piece, _ in pieces), b"".join(texts)
    assert all(piece[-1:].isspace() for piece, _ in pieces)
    assert [token[: longest + 1] for token in joined.split()] == [token[: longest + 1] for token in whole.split()]
    assert len(whole) - len(joined) == cutter.cut_bytes
    assert sum(len(file_ends) for _, file_ends in pieces) == len(files)
    assert all(piece[:end].endswith(b"\n") for piece, file_ends in pieces for end in file_ends)
    assert all(len(piece) <= size + longest + 2 * block_bytes for piece, _ in pieces)


def test_a_token_without_an_end_takes_no_memory():
    """Two hundred megabytes without a space are let go as they come."""
    block = b"x" * 1_000_000
    texts = ((block, False) for _ in range(200))
    cutter = Chunker(1_000_000, 100_000)
    tracemalloc.start()
    [(piece, _)] = cutter.iterate_chunks(text for part in (texts, [(b"\n", True)]) for text in part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(piece) == 100_002
    assert cutter.cut_bytes == 200_000_000 - 100_001
    assert peak < 3_000_000
