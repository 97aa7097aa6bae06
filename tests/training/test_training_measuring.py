"""What is measured after each epoch: its time is no training time, and scores belong to the vectors that are kept."""

import numpy as np
import pytest

from factories import config_of
from training_runs import fit_with
from w2v_cli.evaluation.per_epoch import SetScore
from w2v_cli.training import divergence
from w2v_cli.training import progress as progress_module
from w2v_cli.training.trainer import BEGINNING, Position, StepResult


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        """Return the time."""
        return self.now


class FakeTrainer:
    """Ten seconds of training an epoch, a tenth of it each second, and vectors that hold the epoch's number."""

    def __init__(self, clock, epochs, held_out=()):
        self._clock, self._epochs, self._held_out = clock, epochs, list(held_out)
        self._epoch = 0

    def steps(self, _start=BEGINNING):
        """Train."""
        for epoch in range(self._epochs):
            self._epoch = epoch
            for tenth in range(1, 11):
                self._clock.now += 1
                progress = (self._epoch + tenth / 10) / self._epochs
                is_last = tenth == 10
                after = Position(epoch + 1) if is_last else Position(epoch, tenth)
                yield StepResult(epoch, 400.0, 100, progress, after, ends_epoch=is_last)

    def validation_loss(self):
        """Return what the script says, after half a minute."""
        self._clock.now += 30
        return self._held_out.pop(0)

    def read_vectors(self):
        """Return the vectors."""
        return np.full((2, 2), self._epoch + 1, np.float32)


@pytest.fixture
def clock(monkeypatch):
    """Return the clock of training."""
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    monkeypatch.setattr(divergence, "time", clock)
    return clock


def score_at(clock, seconds=20):
    """Return a way to score that takes so long and finds the number of the epoch in the vectors."""

    def score(vectors):
        clock.now += seconds
        return (SetScore("x", "accuracy", float(vectors[0, 0]), 1, 0),)

    return score


def test_measuring_is_no_training(clock):
    """Words a second and seconds are those of training alone; what is left includes the scoring to come."""
    trained = fit_with(config_of(epochs=4), FakeTrainer(clock, 4), 1000, lambda _: None, score=score_at(clock))
    ends = [report for report in trained.reports if report.epoch_mean_loss is not None]

    assert [report.words_per_second for report in trained.reports] == pytest.approx([100] * len(trained.reports))
    assert [report.seconds_left for report in ends] == pytest.approx([3 * 30, 2 * 30, 30, 0])
    assert trained.seconds == pytest.approx(40)
    assert clock.now == 4 * 10 + 4 * 20


def test_time_left_within_an_epoch_includes_its_own_scoring(clock):
    """Half an epoch of training and two times the scoring, once one is known."""
    trained = fit_with(config_of(epochs=2), FakeTrainer(clock, 2), 1000, lambda _: None, score=score_at(clock))
    half_way = next(report for report in trained.reports if report.progress == pytest.approx(0.75))

    assert half_way.seconds_left == pytest.approx(5 + 20)


def test_the_listener_hears_scores_after_each_epoch(clock):
    """And only then; they are those of the vectors at that time."""
    heard = []
    fit_with(config_of(epochs=3), FakeTrainer(clock, 3), 1000, heard.append, score=score_at(clock))

    assert [report.scores[0].score for report in heard if report.epoch_mean_loss is not None] == [1.0, 2.0, 3.0]
    assert all(report.scores == () for report in heard if report.epoch_mean_loss is None)


def test_scores_are_those_of_the_kept_vectors(clock):
    """With a patience that ended the training, those of the best epoch, not of the last."""
    config = config_of(epochs=9, validation=0.1, patience=2)
    trained = fit_with(config, FakeTrainer(clock, 9, [3.0, 2.0, 2.5, 2.5]), 1000, lambda _: None, score=score_at(clock))

    assert trained.reports[-1].epoch == 4
    assert trained.epoch == trained.scores[0].score == trained.input_vectors[0, 0] == 2


def test_without_a_way_to_score_there_are_no_scores(clock):
    """Nothing is scored, and nothing is told."""
    assert fit_with(config_of(epochs=2), FakeTrainer(clock, 2), 1000, lambda _: None).scores == ()
