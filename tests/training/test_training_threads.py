"""The thread that builds batches: what it raises arrives, and it never outlives the training."""

import threading

import pytest
from test_loop import config_of, corpus_at, run, small_corpus  # noqa: F401  the fixtures

from w2v_cli.kernels.minibatch.batches import BatchBuilder


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
