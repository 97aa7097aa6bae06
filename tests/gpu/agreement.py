"""What the kernels must do on CuPy, asked on the stand-in and on a real device alike: the NumPy reference's numbers."""

import numpy as np
from numpy.testing import assert_allclose

from w2v_cli.config.schema import Config
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.minibatch.array_engine import ArrayEngine
from w2v_cli.kernels.minibatch.batches import Batch
from w2v_cli.kernels.objectives import Cbow
from w2v_cli.kernels.windows import NO_WORD

ROUNDING = 2e-5  # float32 sums of at most some hundred terms of size 0.1, in any order
VOCABULARY_SIZE, DIM = 50, 12
RATES = {"sgd": 0.05, "adam": 0.01}
CONFIGS = {
    "cbow, sgd": {"model": {"model": "cbow"}, "training": {"optimizer": "sgd"}},
    "cbow, adam": {"model": {"model": "cbow"}, "training": {"optimizer": "adam"}},
    "skip-gram, sgd": {"model": {"model": "skipgram"}, "training": {"optimizer": "sgd"}},
    "skip-gram, adam": {"model": {"model": "skipgram"}, "training": {"optimizer": "adam"}},
}


def random_batch(rng, *, examples, slots, negatives=3):
    """Return a batch whose inputs are filled up with NO_WORD and whose words repeat."""
    inputs = rng.integers(0, VOCABULARY_SIZE, (examples, slots), dtype=np.int32)
    inputs[np.arange(slots) >= rng.integers(1, slots + 1, (examples, 1))] = NO_WORD
    targets = rng.integers(0, VOCABULARY_SIZE, examples, dtype=np.int32)
    drawn = rng.integers(0, VOCABULARY_SIZE, (examples, negatives), dtype=np.int32)
    return Batch(inputs, targets, drawn, centres=examples, progress=0.5)


def one_word_again_and_again():
    """Return a batch in which a row of each matrix receives eight gradients."""
    inputs, targets, negatives = np.full((4, 2), 2, np.int32), np.full(4, 2, np.int32), np.full((4, 2), 1, np.int32)
    return Batch(inputs, targets, negatives, centres=4, progress=0.5)


_RNG = np.random.default_rng(7)
BATCHES = {
    "cbow": [random_batch(_RNG, examples=5, slots=4) for _ in range(3)],
    "skip-gram": [random_batch(_RNG, examples=8, slots=1) for _ in range(3)],
    "one example": [random_batch(_RNG, examples=1, slots=4, negatives=1)],
    "one word again and again": [one_word_again_and_again()] * 2,
    "hundreds of repeats": [random_batch(_RNG, examples=300, slots=4)],
}


def take_steps(engine, batches, rate):
    """Return both matrices and the losses after a step a batch, all on the host."""
    losses = [float(engine.step(batch, rate)) for batch in batches]
    state = engine.read_state()
    return state["input_vectors"], state["output_vectors"], losses


def assert_agrees(engine_class, batches, optimizer, *, is_classic):
    """Fail where steps in float32 of an engine end elsewhere than the float64 reference."""
    rng = np.random.default_rng(11)
    matrices = [rng.normal(0, 0.5, (VOCABULARY_SIZE, DIM)).astype(np.float32) for _ in range(2)]
    wide = Embeddings(*(matrix.astype(np.float64) for matrix in matrices))
    objective = Cbow(is_classic=is_classic)
    expected = take_steps(ArrayEngine(objective, optimizer, wide), batches, RATES[optimizer])

    engine = engine_class(objective, optimizer, Embeddings(*matrices))
    inputs, outputs, losses = take_steps(engine, batches, RATES[optimizer])

    assert inputs.dtype == outputs.dtype == np.float32
    assert_allclose(inputs, expected[0], atol=ROUNDING)
    assert_allclose(outputs, expected[1], atol=ROUNDING)
    assert_allclose(losses, expected[2], rtol=1e-5)


def write_corpus(path):
    """Write 1,500 words of thirty kinds, of which some follow each other more often, and return the path."""
    rng = np.random.default_rng(5)
    firsts = rng.integers(0, 15, 750)
    words = np.column_stack((2 * firsts, 2 * ((firsts + rng.integers(0, 3, 750)) % 15) + 1))
    path.write_text(
        "\n".join(" ".join(f"w{word}" for word in line) for line in words.reshape(-1, 10)), encoding="utf-8"
    )
    return path


def small_config(name):
    """Return one of CONFIGS with everything small: two epochs, some forty batches each at least."""
    sections = {section: dict(settings) for section, settings in CONFIGS[name].items()}
    sections["model"] |= {"dim": 8, "window": 2}
    sections["training"] |= {"epochs": 2, "batch_size": 32}
    return Config.model_validate({**sections, "corpus": {"min_count": 1}, "sampling": {"subsample": 0.0}})
