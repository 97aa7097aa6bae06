"""The plan of a training: its speed is measured in a moment, and told apart from what each epoch costs besides."""

from types import SimpleNamespace

import numpy as np
import pytest

from w2v_cli.config.schema import Config
from w2v_cli.pipeline.dry_run import Speed, measure_speed
from w2v_cli.training.trainer import BEGINNING, Position, StepResult


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        """Return the time."""
        return self.now


class FakeTrainer:
    """Begins each epoch for `begin` seconds, then does a hundredth of it in each `step` of seconds."""

    def __init__(self, clock, *, begin=0.0, step=0.1, epochs=4, hundredths=100):
        self._clock, self._begin, self._step, self._epochs, self._hundredths = clock, begin, step, epochs, hundredths
        self.advances = 0
        self.started_at = None
        self.is_closed = False

    def steps(self, start=BEGINNING):
        """Train until there is nothing left."""
        self.started_at = start
        try:
            self._clock.now += self._begin
            for number in range(start.done + 1, self._hundredths + 1):
                self._clock.now += self._step
                self.advances += 1
                progress = (start.epoch + number / self._hundredths) / self._epochs
                yield StepResult(start.epoch, 1.0, 1, progress, Position(start.epoch, number))
        finally:
            self.is_closed = True

    def validation_loss(self):
        """Take two seconds."""
        self._clock.now += 2
        return 1.0

    def read_vectors(self):
        """Return vectors."""
        return np.ones((2, 2), np.float32)


def begun_with(trainer, *, state=None, evaluator=None, **training):
    config = Config.model_validate({"training": {"epochs": 4} | training})
    return SimpleNamespace(
        config=config,
        trainer=trainer,
        corpus_words=100,
        state=state,
        evaluator=evaluator,
        loaded=SimpleNamespace(rounds=0),
    )


def test_a_moment_of_training_is_enough():
    """Some ten advances of a tenth of a second, each of one word, and the training is closed."""
    clock = Clock()
    trainer = FakeTrainer(clock)
    speed = measure_speed(begun_with(trainer), clock)

    assert speed.words_per_second == pytest.approx(10)
    assert 10 <= trainer.advances <= 13
    assert trainer.is_closed


def test_what_comes_before_the_first_words_is_told_apart():
    """The minibatch algorithm draws an epoch's windows first: that is paid once an epoch, whatever its length."""
    clock = Clock()
    speed = measure_speed(begun_with(FakeTrainer(clock, begin=30.0)), clock)

    assert speed.words_per_second == pytest.approx(10)
    assert speed.begin_seconds == pytest.approx(30.1)
    assert speed.seconds_for(words=400, epochs=4) == pytest.approx(40 + 4 * 30.1)


def test_measuring_counts_for_each_epoch():
    """The held-out loss and the scores are taken once, and their time is that of each epoch."""
    clock = Clock()

    def score(_vectors):
        clock.now += 5

    speed = measure_speed(begun_with(FakeTrainer(clock), validation=0.1, evaluator=SimpleNamespace(score=score)), clock)

    assert speed.measure_seconds == pytest.approx(7)


def test_going_on_is_measured_where_it_goes_on():
    """The speed of what is left, from the point of the snapshot."""
    clock = Clock()
    trainer = FakeTrainer(clock)
    speed = measure_speed(begun_with(trainer, state=SimpleNamespace(position=Position(2, 50))), clock)

    assert trainer.started_at == Position(2, 50)
    assert speed.words_per_second == pytest.approx(10)


@pytest.mark.parametrize("hundredths", [1, 2])
def test_a_text_that_is_over_at_once_has_a_speed(hundredths):
    """One advance is all there is: it is measured from its beginning on."""
    clock = Clock()
    speed = measure_speed(begun_with(FakeTrainer(clock, hundredths=hundredths, step=0.5)), clock)

    assert speed.words_per_second == pytest.approx(200 / hundredths)


def test_a_clock_that_stands_still_divides_by_nothing():
    """Where nothing can be measured the training takes no time."""
    clock = Clock()
    speed = measure_speed(begun_with(FakeTrainer(clock, step=0.0, hundredths=3)), clock)

    assert speed.seconds_for(words=1000, epochs=3) == 0


def test_time_adds_up():
    """Words by their speed, and what each epoch costs besides."""
    assert Speed(1.0, 50.0, 2.0).seconds_for(words=100, epochs=3) == 2 + 9
