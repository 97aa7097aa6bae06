"""The launch of block.cu: what fits a GPU, how many blocks are in flight, and what docs/explanation/gpu.md says."""

import re
from pathlib import Path

import pytest

from w2v_cli.config.schema import ModelSettings
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, shared_negatives
from w2v_cli.kernels.block.cuda_layout import SOURCE, Layout, blocks_in_flight, choose_layout
from w2v_cli.kernels.objectives import Cbow, SkipGram

PAPER = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "gpu.md"


@pytest.mark.parametrize("limit", [48 * 1024, 64 * 1024, 163 * 1024, 227 * 1024])
@pytest.mark.parametrize("model", ["cbow", "skipgram"])
@pytest.mark.parametrize("dim", [1, 100, 300, 512])
def test_rows_are_staged_in_the_fewest_slices_that_fit(model, dim, limit):
    """The layout fits the shared memory, and one slice fewer would not."""
    layout = choose_layout(ModelSettings(model=model, dim=dim), 5, limit)

    assert layout.shared_bytes <= limit
    fewer = Layout(layout.objective, layout.dim, layout.window, layout.shared_negatives, layout.slices - 1 or 1)
    assert layout.slices == 1 or fewer.shared_bytes > limit


def test_what_fits_in_no_slices_has_no_layout():
    """A window of 1,000 words has more scores than shared memory has room for."""
    assert choose_layout(ModelSettings(model="skipgram", window=1000), 5, 227 * 1024) is None


@pytest.mark.parametrize(
    ("vocabulary_size", "resident", "expected"),
    [(2, 264, 1), (10_000, 264, 39), (100_000, 264, 264), (100_000, 2000, 390)],
)
def test_blocks_in_flight_follow_the_vocabulary_and_the_device(vocabulary_size, resident, expected):
    """There is a window in flight for each eight words of the vocabulary, and never more than the device holds."""
    assert blocks_in_flight(vocabulary_size, resident) == expected


def flops_per_centre(layout):
    """Return the operations of a full block's products (a multiplication and an addition are two), for each centre.

    Windows are drawn from 1 to `window`; products of 4 x 4 tiles that reach beyond them are counted: they are done.
    """
    dim, window, negatives = layout.dim, layout.window, layout.shared_negatives
    if layout.objective.name == "cbow":  # the mean and its gradient; each negative's score and both gradients; ...
        return 2.0 * dim * (2 * (window + 1) + 3 * negatives + 3)  # ... and the centre's
    reached = (3 + 2 * window) // 4 + 1  # tiles of contexts for each tile of centres
    contexts = -(-(BLOCK_CENTRES + 2 * window) // 4)
    return 3 * 2 * dim * (BLOCK_CENTRES // 4 * reached + negatives // 4 * contexts) * 4**2 / BLOCK_CENTRES


def test_the_paper_states_what_a_layout_counts():
    """The table of docs/explanation/gpu.md holds the bytes and operations that Layout counts."""
    models = [(dim, model) for dim in (100, 300) for model in (SkipGram(), Cbow(is_classic=True))]
    layouts = [Layout(model, dim, 5, shared_negatives(5), 1) for dim, model in models]
    table = dict(re.findall(r"^\| ([^|]+) \|(.+)\|$", PAPER.read_text(encoding="utf-8"), flags=re.MULTILINE))

    def stated(row):
        return [float(number.replace(",", "")) for number in table[row].split("|")]

    assert stated("bytes read and added") == [layout.bytes_per_centre for layout in layouts]
    assert stated("floating-point operations") == [flops_per_centre(layout) for layout in layouts]


def test_the_first_comment_lists_every_constant_and_parameter():
    """What block.cu says of itself at its top is what it takes."""
    comment, _, code = SOURCE.read_text(encoding="utf-8").partition("*/")
    layout = choose_layout(ModelSettings(), 5, 64 * 1024)
    constants = [option[2:].split("=")[0] for option in layout.options() if option.startswith("-D")]

    assert [name for name in constants if not re.search(rf"^    {name} ", comment, flags=re.MULTILINE)] == []
    for kernel in ("draw_spans", "train_blocks"):
        parameters = re.search(rf"{kernel}\((.*?)\n\)", code, flags=re.DOTALL)[1]
        names = re.findall(r"(\w+),?$", re.sub(r"//.*", "", parameters).strip(), flags=re.MULTILINE)
        listed = re.search(rf"    {kernel}<<<.*?\n(.*?)\n\n", comment, flags=re.DOTALL)[1]
        assert re.findall(r"^ {8,9}\d+  (?:[a-z]+ )+\*?(\w+)", listed, flags=re.MULTILINE) == names
