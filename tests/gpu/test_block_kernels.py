"""The kernels of block.cu, run on the CPU emulator, against the float64 reference of the block algorithm."""

import numpy as np
import pytest
from block_runs import (
    KERNELS,
    TOLERANCE,
    build_emulator,
    compare,
    configure,
    draw_on_emulator,
    layout_of,
    random_matrices,
    text_of,
    train_on_emulator,
    train_on_reference,
    update_error,
    whole,
)
from block_texts import corpus, few_words, folder  # noqa: F401  fixtures
from emulator import NO_COMPILER, Emulator, find_compiler
from numpy.testing import assert_allclose, assert_array_equal

from w2v_cli.kernels.block import cuda_layout
from w2v_cli.kernels.block.blocks import BlockBuilder
from w2v_cli.kernels.block.cuda_layout import SOURCE, Launch
from w2v_cli.kernels.philox import Purpose, draw_words
from w2v_cli.kernels.windows import draw_windows

pytestmark = pytest.mark.skipif(find_compiler() is None, reason=NO_COMPILER)

MODELS = {
    "skipgram": ["model.model=skipgram"],
    "cbow": ["model.model=cbow"],
    "cbow, mean gradient": ["model.model=cbow", "model.cbow_gradient=mean"],
}


def assert_agrees(corpus, config, folder, **options):
    error, found, expected = compare(corpus, config, folder, **options)

    assert expected.pairs > 100
    assert found.pairs == expected.pairs
    assert_allclose(found.loss, expected.loss, rtol=1e-6)
    assert error <= TOLERANCE


SIZES = [(4, 1), (50, 1), (100, 1), (100, 3), (128, 1), (300, 1), (512, 1), (512, 2)]
TOO_LARGE = {("cbow", 512, 1), ("cbow, mean gradient", 512, 1)}  # for the shared memory of any GPU


@pytest.mark.parametrize(
    ("model", "dim", "slices"),
    [(model, *size) for model in MODELS for size in SIZES if (model, *size) not in TOO_LARGE],
)
def test_the_update_is_the_references(model, dim, slices, corpus, folder):
    """Over blocks of four spans, with repeated words and sentence borders, both matrices move as the reference's."""
    sets = MODELS[model]
    assert_agrees(corpus, configure(*sets, f"model.dim={dim}"), folder, slices=slices)


SETTINGS = {
    "no subsampling, whole windows": ["sampling.subsample=0", "model.shrink_window=false"],
    "dropped borders": ["model.partial_windows=false", "model.window=2", "sampling.subsample=0"],
    "many negatives": ["sampling.negatives=21", "model.window=8"],
    "wide windows": ["model.window=40"],
    "strong subsampling": ["sampling.subsample=0.0005"],
    "one word each side": ["model.window=1"],
    "another seed": ["sampling.seed=18446744073709551557"],
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_every_setting_is_the_references(model, settings, corpus, folder):
    """What is drawn, and what counts as a window, is the same under every setting."""
    assert_agrees(corpus, configure(f"model.model={model}", "model.dim=20", *settings), folder)


@pytest.mark.parametrize("sets", MODELS.values(), ids=MODELS)
def test_negatives_that_equal_centres_are_left_out(sets, few_words, folder):
    """With six words, where nearly every block draws its own centres, the update is the reference's."""
    config = configure(*sets, "model.dim=20", "sampling.subsample=0")
    blocks = BlockBuilder(few_words, config.model, config.sampling).iterate_span(1, 0, len(few_words.word_ids))

    assert all(np.isin(block.negatives, block.centres).any() for block in blocks)
    assert_agrees(few_words, config, folder)


@pytest.mark.parametrize("stop", [1, 2, 33, 70])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_short_blocks(model, stop, corpus, folder):
    """Blocks of 1, 2 and few centres, and a launch that begins and ends amid sentences, train as the reference does."""
    config = configure(f"model.model={model}", "model.dim=20", "sampling.subsample=0")
    launch = Launch(0, 300, 300 + stop, 0.05, 0.05)

    error, found, expected = compare(corpus, config, folder, launch=launch)

    assert found.pairs == expected.pairs > 0
    assert error <= TOLERANCE


@pytest.mark.parametrize("sets", MODELS.values(), ids=MODELS)
def test_scores_beyond_the_flat_of_the_sigmoid(sets, corpus, folder):
    """Scores of ±50 and more are clipped as the reference clips them; float32 has 4e-6 of an error in such a score."""
    config = configure(*sets, "model.dim=20")
    launch = whole(corpus, first_rate=1e-3, last_rate=1e-3)

    error, found, expected = compare(corpus, config, folder, launch=launch, scale=15.0)

    assert expected.loss / expected.pairs > 10
    assert_allclose(found.loss, expected.loss, rtol=1e-6)
    assert error <= 20 * TOLERANCE


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_plain_atomics_of_older_gpus(model, corpus, folder):
    """Before sm_90 a float4 is added float by float: the same update."""
    assert_agrees(corpus, configure(f"model.model={model}", "model.dim=20"), folder, architecture=750)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_at_rate_0_only_the_loss_is_measured(model, corpus, folder):
    """A launch with both rates 0 leaves every bit of the matrices and gives the reference's loss."""
    config = configure(f"model.model={model}", "model.dim=20")
    launch = whole(corpus, first_rate=0.0, last_rate=0.0)

    _, found, expected = compare(corpus, config, folder, launch=launch)

    assert_array_equal(found.input_vectors, expected.input_vectors)
    assert_array_equal(found.output_vectors, expected.output_vectors)
    assert_allclose(found.loss, expected.loss, rtol=1e-6)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
@pytest.mark.parametrize("which", [0, 1], ids=["input_vectors", "output_vectors"])
def test_a_diverged_vector_shows_in_the_loss(model, which, corpus, folder):
    """NaN in a row is not clipped away: the loss is NaN too."""
    config = configure(f"model.model={model}", "model.dim=20")
    layout = layout_of(config)
    matrices = random_matrices(corpus.vocabulary_size, 20)
    matrices[which][0, 3] = np.nan

    found = train_on_emulator(build_emulator(layout, folder), layout, matrices, corpus, config, whole(corpus))

    assert np.isnan(found.loss)


@pytest.mark.parametrize("subsample", ["0", "0.01", "0.0002"])
@pytest.mark.parametrize("threads", [32, 256])
def test_the_kept_words_are_the_references(subsample, threads, corpus, folder):
    """Each span has its kept words in order, and around them as many of the same sentences as a window can reach."""
    config = configure(f"sampling.subsample={subsample}", "model.dim=20")
    text, launch, window = text_of(corpus, config), whole(corpus, span_words=100), config.model.window
    windows = draw_windows(corpus, config.model, config.sampling.seed, text.keep_probability, launch.epoch)
    sentences = np.searchsorted(corpus.sentence_offsets, windows.positions, side="right")

    kept = draw_on_emulator(build_emulator(layout_of(config), folder), text, config, launch, threads=threads)

    for span, (first, last, count) in enumerate(kept.span_bounds):
        found = kept.offsets[span, :count]
        begin, end = np.searchsorted(windows.positions, (100 * span, min(100 * span + 100, launch.stop)))
        low, high = begin - first, end + count - last
        assert last - first == end - begin
        assert_array_equal(found, windows.positions[low:high])
        assert_array_equal(kept.word_ids[span, :count], windows.word_ids[low:high])
        assert_array_equal(kept.sentences[span, :count], sentences[low:high])
        first_sentence = np.searchsorted(corpus.sentence_offsets, 100 * span, side="right")
        assert low == 0 or first >= window or sentences[low - 1] < first_sentence


DRAW_FOR_TEST = """
extern "C" __global__ void draw_for_test(
    const long long *positions, unsigned long long seed, unsigned int epoch, int draw, int *words
) {
    const uint4 drawn = draw_words(seed, epoch, positions[threadIdx.x], NEGATIVES, draw);
    int *to = words + 4 * threadIdx.x;
    to[0] = (int)drawn.x, to[1] = (int)drawn.y, to[2] = (int)drawn.z, to[3] = (int)drawn.w;
}
"""


def test_draws_are_the_references_at_any_position(folder):
    """Positions beyond 2³² and seeds of 64 bits give the words of philox.draw_words."""
    source = SOURCE.read_text(encoding="utf-8") + DRAW_FOR_TEST
    emulator = Emulator(source, layout_of(configure()).options(), folder, kernels=("draw_for_test",))
    positions = np.random.default_rng(1).integers(0, 2**60, 32)
    words = np.zeros((32, 4), np.int32)
    seed, epoch, draw = 0x0123456789ABCDEF, 4_000_000_000, 77

    arguments = (positions, np.uint64(seed), np.uint32(epoch), np.int32(draw), words)
    emulator.launch("draw_for_test", 1, 32, 0, arguments)

    assert_array_equal(words.view(np.uint32).T, draw_words(seed, epoch, positions, Purpose.NEGATIVES, draw))


@pytest.mark.parametrize("sets", MODELS.values(), ids=MODELS)
def test_with_blocks_in_flight_the_difference_shrinks_with_the_rate(sets, corpus, folder):
    """Eight blocks at a time see each other's sums late: their update differs by O(rate) from that one by one."""
    config = configure(*sets, "model.dim=20")
    layout = layout_of(config)
    emulator = build_emulator(layout, folder)
    matrices = random_matrices(corpus.vocabulary_size, 20)
    differences = []
    for rate in (1e-3, 1e-4):
        launch = whole(corpus, first_rate=rate, last_rate=rate)
        expected = train_on_reference(matrices, corpus, config, launch)
        found = train_on_emulator(emulator, layout, matrices, corpus, config, launch, in_flight=8, seed=1)
        assert found.pairs == expected.pairs
        differences.append(update_error(found, expected, matrices))

    assert differences[1] > 10 * TOLERANCE
    assert differences[1] < differences[0] / 6


def test_an_argument_out_of_place_is_refused(corpus, folder):
    """The emulator takes the arguments that cuda_layout builds, and none of another type, nor one less."""
    config = configure("model.dim=20")
    emulator = build_emulator(layout_of(config), folder)
    text, launch = text_of(corpus, config), whole(corpus)
    kept = draw_on_emulator(emulator, text, config, launch)
    right = cuda_layout.draw_arguments(text, kept, config.sampling.seed, launch)

    for wrong in (right[:-1], (*right[:4], np.int64(1), *right[5:]), (right[3], *right[1:])):
        with pytest.raises(TypeError, match=KERNELS[0]):
            emulator.launch(KERNELS[0], launch.spans, 64, cuda_layout.DRAW_SHARED_BYTES, wrong)
