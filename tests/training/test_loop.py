"""The training loop: against plain loops in float64, on any number of threads, and when something goes wrong."""

import functools
import math
import threading
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import factories
from training_runs import fit_with, minibatch_trainer
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.errors import CorpusError, DivergedError
from w2v_cli.kernels.embeddings import build_embeddings
from w2v_cli.kernels.minibatch import batches
from w2v_cli.kernels.minibatch.batches import BatchBuilder
from w2v_cli.kernels.protocols import Backend

models = pytest.mark.parametrize("model", ["cbow", "skipgram"])
optimizers = pytest.mark.parametrize("optimizer", ["sgd", "adam"])


@pytest.fixture(scope="module")
def corpus_at(tmp_path_factory):
    """Return a function from a text to its scanned corpus."""
    path = tmp_path_factory.mktemp("training") / "x.txt"

    def scan_text(text):
        path.write_text(text, encoding="utf-8")
        return scan_corpus(path, Config.model_validate({"corpus": {"min_count": 1}}).corpus).text

    return scan_text


@pytest.fixture(scope="module")
def small_corpus(corpus_at):
    """Return 40 sentences of 8 words out of 25, some of them frequent."""
    words = np.random.default_rng(11).zipf(1.3, size=(40, 8)) % 25
    return corpus_at("\n".join(" ".join(f"w{word}" for word in sentence) for sentence in words))


SMALL = {"window": 2, "dim": 6, "negatives": 3, "epochs": 3, "batch_size": 16}
config_of = functools.partial(factories.config_of, algorithm="minibatch", subsample=0.05, learning_rate=0.05, **SMALL)


def run(corpus, config, *, backend="numba", on_progress=lambda _: None, threads=2):
    trainer = minibatch_trainer(Backend(backend), corpus, config, threads=threads)
    return fit_with(config, trainer, len(corpus.word_ids), on_progress)


def plain_training(corpus, config):
    """Return input vectors and epoch losses of SGD, example by example in float64 (word2vec.c's equations)."""
    start = build_embeddings(corpus.vocabulary_size, config.model, config.sampling.seed)
    inputs, outputs = start.input_vectors.astype(float), start.output_vectors.astype(float)
    losses, builder = [], BatchBuilder(corpus, config.model, config.sampling, config.training)
    for epoch in range(config.training.epochs):
        loss, pairs = 0.0, 0
        for batch in (batch for some in builder.iterate_epoch(epoch) for batch in some):
            gradients = np.zeros((2, *inputs.shape))
            for row, target, negatives in zip(batch.inputs, batch.targets, batch.negatives, strict=True):
                words = row[row >= 0]
                hidden, hidden_gradient = inputs[words].mean(axis=0), 0
                for word, label in [(target, 1), *((negative, 0) for negative in negatives)]:
                    probability = 1 / (1 + math.exp(-hidden @ outputs[word]))
                    loss -= math.log(probability if label else 1 - probability)
                    hidden_gradient += (probability - label) * outputs[word]
                    gradients[1, word] += (probability - label) * hidden
                for word in words:
                    gradients[0, word] += hidden_gradient / (len(words) if config.model.cbow_gradient == "mean" else 1)
                pairs += 1
            rate = config.learning_rate * max(1 - batch.progress, 1e-4)
            inputs -= rate * gradients[0]
            outputs -= rate * gradients[1]
        losses.append(loss / pairs)
    return inputs, losses


@pytest.mark.parametrize(("model", "gradient"), [("cbow", "classic"), ("cbow", "mean"), ("skipgram", "classic")])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_training_is_plain_sgd(small_corpus, backend, model, gradient):
    """Vectors and mean losses after three epochs are those of loops over examples, up to float32 rounding."""
    config = config_of(model=model, cbow_gradient=gradient, learning_rate=0.2)
    expected_vectors, expected_losses = plain_training(small_corpus, config)

    trained = run(small_corpus, config, backend=backend)

    assert_allclose(trained.epoch_losses, expected_losses, rtol=1e-5)
    assert_allclose(trained.input_vectors, expected_vectors, atol=1e-5)


def test_result_is_the_input_matrix_on_the_host(small_corpus):
    """One float32 row for each word of the vocabulary."""
    vectors = run(small_corpus, config_of(dim=9)).input_vectors

    assert isinstance(vectors, np.ndarray)
    assert (vectors.dtype, vectors.shape) == (np.float32, (small_corpus.vocabulary_size, 9))


@models
@optimizers
@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bytes(small_corpus, model, optimizer, threads, monkeypatch):
    """Vectors and losses are equal to the last bit, with many chunks of batches on their way from thread to thread."""
    monkeypatch.setattr(batches, "_CHUNK_CENTRES", 16)
    config = config_of(model=model, optimizer=optimizer)
    alone, together = (run(small_corpus, config, threads=number) for number in (1, threads))

    assert_array_equal(alone.input_vectors, together.input_vectors)
    assert alone.epoch_losses == together.epoch_losses


@models
def test_the_seed_decides_the_result(small_corpus, model):
    """The same seed gives the same bytes again, another seed other ones."""
    first, same, other = (run(small_corpus, config_of(model=model, seed=seed)).input_vectors for seed in (1, 1, 2))

    assert_array_equal(first, same)
    assert (first != other).all()


@models
@optimizers
def test_engines_end_at_the_same_vectors(small_corpus, model, optimizer):
    """NumPy and Numba differ by rounding alone, also after three epochs of either optimiser."""
    config = config_of(model=model, optimizer=optimizer)
    numpy, numba = (run(small_corpus, config, backend=backend) for backend in ("numpy", "numba"))

    assert_allclose(numba.epoch_losses, numpy.epoch_losses, rtol=1e-4)
    assert_allclose(numba.input_vectors, numpy.input_vectors, atol=2e-4)


@models
def test_loss_without_knowledge_is_that_of_coins(small_corpus, model):
    """While output vectors are as good as zero, each of 1 + 3 sigmoids costs ln 2, in every report and epoch."""
    trained = run(small_corpus, config_of(model=model, learning_rate=1e-12))

    assert_allclose(trained.epoch_losses, 4 * math.log(2), rtol=1e-9)
    assert_allclose([report.mean_loss for report in trained.reports], 4 * math.log(2), rtol=1e-9)


def test_reports_tell_how_far_training_is(small_corpus):
    """They come in order to the listener and in the result, at the schedule's rate, and end at 1 with nothing left."""
    heard = []
    trained = run(small_corpus, config_of(batch_size=1, subsample=0), on_progress=heard.append)
    last = heard[-1]

    assert tuple(heard) == trained.reports
    assert all(earlier.progress <= later.progress for earlier, later in pairwise(heard))
    assert [report.epoch for report in heard] == sorted(report.epoch for report in heard)
    assert_allclose([r.learning_rate for r in heard], [0.05 * max(1 - r.progress, 1e-4) for r in heard])
    assert (last.epoch, last.epochs, last.progress, last.seconds_left) == (3, 3, 1, 0)
    assert last.words_per_second >= 3 * len(small_corpus.word_ids) / trained.seconds


def test_every_epoch_ends_with_a_report_of_its_loss(small_corpus):
    """Exactly one report an epoch has the mean over the epoch, when the epoch is over."""
    reports = run(small_corpus, config_of(epochs=4)).reports
    ends = [report for report in reports if report.epoch_mean_loss is not None]

    assert [report.epoch for report in ends] == [1, 2, 3, 4]
    assert [report.progress for report in ends] == [0.25, 0.5, 0.75, 1]


@models
def test_a_diverged_training_stops(small_corpus, model):
    """A loss beyond all bounds ends in exit 1 and names epoch, rate and ways out."""
    config = config_of(model=model, learning_rate=10.0, decay="constant", epochs=50, subsample=0, batch_size=512)

    with pytest.raises(DivergedError, match=r"diverged in epoch \d+ of 50: .* The learning rate 10 is .*try") as stop:
        run(small_corpus, config)

    assert stop.value.exit_code == 1


@models
@pytest.mark.parametrize("threads", [1, 2])
def test_words_without_neighbours_are_refused(corpus_at, model, threads):
    """Where every sentence is one word there is nothing to learn: exit 3, and what would help."""
    with pytest.raises(CorpusError, match=r"no word of the corpus has a neighbour .*sentences=\"stream\""):
        run(corpus_at("a\nb\na\nc\n"), config_of(model=model), threads=threads)


@models
def test_every_report_has_a_mean_loss(small_corpus, model):
    """Also the one that ends an epoch right after another report: the loss never drops to 0 for want of pairs."""
    trained = run(small_corpus, config_of(model=model))

    assert all(report.mean_loss > 2 for report in trained.reports)


class StopHereError(Exception):
    """Raised by the tests alone."""


@pytest.mark.parametrize("threads", [1, 2])
def test_an_exception_while_batches_are_built_arrives(small_corpus, monkeypatch, threads):
    """It is raised as it was, from whatever thread, after the batches before it; no thread stays behind."""
    real, heard = BatchBuilder.iterate_epoch, []

    def fail_in_second_epoch(builder, epoch, *rest):
        yield from real(builder, epoch, *rest)
        if epoch == 1:
            raise StopHereError

    monkeypatch.setattr(BatchBuilder, "iterate_epoch", fail_in_second_epoch)
    before = threading.active_count()

    with pytest.raises(StopHereError):
        run(small_corpus, config_of(batch_size=1), on_progress=heard.append, threads=threads)

    assert {report.epoch for report in heard} == {1, 2}
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [StopHereError, KeyboardInterrupt])
def test_an_exception_of_the_listener_stops_everything(small_corpus, error):
    """Whatever on_progress raises ends the training at once; no thread goes on building batches."""
    before = threading.active_count()

    def stop(_):
        raise error

    with pytest.raises(error):
        run(small_corpus, config_of(epochs=10_000), on_progress=stop)

    assert threading.active_count() == before


def test_batches_are_built_a_bounded_way_ahead(small_corpus, monkeypatch):
    """Of a thousand epochs only some are in memory when the first report comes."""
    real, built = BatchBuilder.iterate_epoch, []
    monkeypatch.setattr(BatchBuilder, "iterate_epoch", lambda *args: built.append(args) or real(*args))

    def stop(_):
        raise StopHereError

    with pytest.raises(StopHereError):
        run(small_corpus, config_of(epochs=1000), on_progress=stop)

    assert 1 <= len(built) <= 100
