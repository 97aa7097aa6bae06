"""The block algorithm in the training loop: engines, threads, quality, and what stops it."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cycle_text import purity
from training_runs import fit_with
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.load import load_block_engine
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.schedule import Schedule

models = pytest.mark.parametrize("model", ["cbow", "skipgram"])


def run(path, *, model="cbow", backend="numba", threads=1, seed=1, on_progress=lambda _: None, **training):
    config = Config.model_validate(
        {
            "corpus": {"min_count": 1},
            "model": {"model": model, "dim": 16, "window": 2},
            "sampling": {"subsample": 0.0, "seed": seed},
            "training": {"algorithm": "block", "epochs": 4} | training,
        }
    )
    corpus, encoded = scan_corpus(path, config.corpus)
    engine = load_block_engine(Backend(backend), encoded, BlockSettings.of(config))
    trainer = BlockTrainer(
        engine, Schedule.of(config), epochs=config.training.epochs, words=len(encoded.word_ids), threads=threads
    )
    return corpus, fit_with(config, trainer, len(encoded.word_ids), on_progress)


@models
@pytest.mark.parametrize("threads", [1, 2])
def test_words_of_a_class_end_together(cycle_text, model, threads):
    """The five nearest words of nearly every word are of its own class, with threads that do not wait as well."""
    corpus, trained = run(cycle_text, model=model, threads=threads, learning_rate=0.1)

    assert purity(corpus, trained.input_vectors) > 0.9
    assert trained.epoch_losses[-1] < trained.epoch_losses[0]


@models
def test_engines_end_at_the_same_vectors(cycle_text, model):
    """The NumPy reference and the compiled engine differ by rounding alone after whole epochs."""
    (_, expected), (_, found) = (
        run(cycle_text, model=model, backend=backend, epochs=2) for backend in ("numpy", "numba")
    )

    assert_allclose(found.input_vectors, expected.input_vectors, atol=1e-3)
    assert_allclose(found.epoch_losses, expected.epoch_losses, rtol=1e-4)


@models
def test_one_thread_gives_the_same_bytes_again(cycle_text, model):
    """The same seed gives the same bytes, another seed other ones."""
    first, same, other = (run(cycle_text, model=model, seed=seed)[1].input_vectors for seed in (1, 1, 2))

    assert_array_equal(first, same)
    assert (first != other).any()


def test_epochs_end_with_their_loss(cycle_text):
    """Every epoch ends with a report of its mean loss, also where epochs are trained side by side."""
    heard = []
    _, trained = run(cycle_text, threads=2, epochs=3, on_progress=heard.append)

    assert [report.epoch for report in heard if report.epoch_mean_loss is not None] == [1, 2, 3]
    assert heard[-1].progress == 1
    assert tuple(heard) == trained.reports


@models
def test_a_diverged_training_stops(cycle_text, model):
    """Vectors that leave the finite numbers end the training with exit 1."""
    with pytest.raises(DivergedError, match="try learning_rate"):
        run(cycle_text, model=model, learning_rate=10.0, decay="constant", epochs=200)


def test_words_without_neighbours_are_refused(tmp_path):
    """Where every sentence is one word there is nothing to learn."""
    path = tmp_path / "words.txt"
    path.write_text("a\nb\na\nc\n", encoding="utf-8")

    with pytest.raises(CorpusError, match="no word of the corpus has a neighbour"):
        run(path)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_of_the_listener_stops_every_thread(cycle_text, error):
    """Whatever on_progress raises ends the training; no thread goes on."""
    before = threading.active_count()

    def stop(_):
        raise error

    with pytest.raises(error):
        run(cycle_text, threads=2, epochs=1000, on_progress=stop)

    assert threading.active_count() == before


def test_padding_of_rows_stays_zero(cycle_text):
    """Dimensions that only fill up a row to whole cache lines are never trained."""
    config = Config.model_validate({"corpus": {"min_count": 1}, "model": {"dim": 20}})
    corpus = scan_corpus(cycle_text, config.corpus).text
    engine = load_block_engine(Backend.NUMBA, corpus, BlockSettings.of(config))

    engine.train_span(0, 0, engine.span_words, 0.05, 0.01)

    assert engine.read_vectors().shape[1] == 20
    assert not engine._model.input_vectors[:, 20:].any()
    assert np.abs(engine._model.output_vectors[:, :20]).max() > 0
    assert not engine._model.output_vectors[:, 20:].any()
