"""Bugs planted in block.cu, each of which the comparison with the reference must see."""

import re

import pytest
from block_runs import (
    TOLERANCE,
    build_emulator,
    compare,
    configure,
    layout_of,
    random_matrices,
    train_on_emulator,
    train_on_reference,
    update_error,
    whole,
)
from block_texts import corpus, few_words, folder  # noqa: F401  fixtures
from emulator import NO_COMPILER, find_compiler

from w2v_cli.kernels.block.cuda_layout import SOURCE

pytestmark = pytest.mark.skipif(find_compiler() is None, reason=NO_COMPILER)

BOTH, SKIPGRAM, CBOW = ("skipgram", "cbow"), ("skipgram",), ("cbow",)

# Each bug: what is right, what is wrong, and in which models it must show.
BUGS = {
    "the window from another draw": ("place, WINDOWS, 0", "place, NEGATIVES, 0", BOTH),
    "the draws of another epoch": ("c2 = epoch;", "c2 = 0;", BOTH),
    "a negative that equals the centre": ("_sync(EVERY_LANE, is_same)", "_sync(EVERY_LANE, false)", BOTH),
    "windows beyond the sentence": ("[centre + right + 1] == sentence", "[centre + right + 1] != NO_WORD", BOTH),
    "a window too short": ("distance <= right)", "distance < right)", SKIPGRAM),
    "a window too short for the mean": ("p <= centre + shared.right[b]", "p < centre + shared.right[b]", CBOW),
    "the centre in its own window": ("if (p != centre) add_scaled", "add_scaled", CBOW),
    "a rate that does not fall": ("first_rate + slope * offset", "first_rate", BOTH),
    "negatives that count for one each": ("set_errors(slice, share, rate", "set_errors(slice, 1.0f, rate", BOTH),
    "the last floats of a row left out": ("quad >= ROW_QUADS) return", "quad >= ROW_QUADS - 1) return", BOTH),
    "a sum stored, not added": (
        "atomicAdd(reinterpret_cast<float4 *>(place), sum);",
        "*reinterpret_cast<float4 *>(place) = sum;",
        BOTH,
    ),
    "one word twice in a draw": ("pick(draws, words.z, words.w)", "pick(draws, words.x, words.y)", BOTH),
    "no alias": (": __ldg(draws.alias + cell)", ": cell", BOTH),
    "a product's lanes mixed up": ("given, HALF / 2)", "given, 1)", BOTH),
    "negatives weighed without their pairs": ("__popc(pairs & ~shared.same[o - BLOCK_CENTRES])", "1", SKIPGRAM),
    "a context tile too few": ("2 * WINDOW) / TILE + 1;", "2 * WINDOW) / TILE;", SKIPGRAM),
    "a whole gradient for each context": ("is_classic ? 1.0f : shared.window_share[b]", "1.0f", CBOW),
    "a mean that is a sum": ("add_scaled(mean, window_share,", "add_scaled(mean, 1.0f,", CBOW),
    "no gradient from the centre": ("add_scaled(sums[i], shared.centre_errors[b]", "add_scaled(sums[i], 0.0f", CBOW),
    "a slice that forgets the one before": ("slice == 0 ? product", "true ? product", BOTH),
    "rows of another slice": ("quad = slice * SLICE_QUADS + item", "quad = 0 * SLICE_QUADS + item", BOTH),
    "words kept that are dropped": ("return chance < __ldg", "return chance * 0.5f < __ldg", BOTH),
    "kept words in another order": ("other < warp ? warp_counts", "other > warp ? warp_counts", BOTH),
}


def plant(right, wrong):
    source = SOURCE.read_text(encoding="utf-8")
    assert right in source
    return source.replace(right, wrong)


@pytest.mark.parametrize(("bug", "model"), [(bug, model) for bug in BUGS for model in BUGS[bug][2]])
def test_a_planted_bug_is_seen(bug, model, few_words, folder):
    """With any of these bugs the update or the loss leaves the reference's, which the right source does not."""
    right, wrong, _ = BUGS[bug]
    config = configure(
        f"model.model={model}",
        "model.cbow_gradient=mean",
        "model.dim=20",
        "sampling.subsample=0.1",
    )

    sound, *_ = compare(few_words, config, folder, slices=2)
    error, found, expected = compare(few_words, config, folder, slices=2, source=plant(right, wrong))

    assert sound <= TOLERANCE
    assert error > 100 * TOLERANCE or abs(found.loss / expected.loss - 1) > 1e-3


BARRIERS = [match.span() for match in re.finditer(r"__syncthreads\(\);", SOURCE.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("barrier", range(len(BARRIERS)))
def test_a_removed_barrier_is_seen_every_time(barrier, corpus, folder):
    """Without any one of its barriers the source goes wrong on the emulator, in each of ten orders of its threads."""
    config = configure("model.model=cbow", "model.dim=20")
    layout, launch = layout_of(config, 2), whole(corpus)
    begin, end = BARRIERS[barrier]
    source = SOURCE.read_text(encoding="utf-8")
    emulator = build_emulator(layout, folder, source=source[:begin] + ";" + source[end:])
    matrices = random_matrices(corpus.vocabulary_size, 20)
    expected = train_on_reference(matrices, corpus, config, launch)

    for seed in range(10):
        try:
            found = train_on_emulator(emulator, layout, matrices, corpus, config, launch, seed=seed)
        except RuntimeError:
            continue
        assert update_error(found, expected, matrices) > 10 * TOLERANCE, seed
