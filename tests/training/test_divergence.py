"""The guard against trainings that lead nowhere: when it stops one, what it says, and that it leaves others alone."""

import dataclasses
import functools
import math

import numpy as np
import pytest

import factories
from training_runs import fit_with
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.errors import DivergedError
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training import divergence, factory
from w2v_cli.training import progress as progress_module
from w2v_cli.training.divergence import DivergenceGuard, largest_value, likely_cause, loss_of_guessing
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.trainer import BEGINNING, Position, StepResult

config_of = functools.partial(factories.config_of, dim=16, negatives=5, subsample=0.001, algorithm="block", epochs=4)


@dataclasses.dataclass
class Scripted:
    """A trainer that tells losses (each of so many pairs) and has the vectors that a script says."""

    losses: list[float]
    pairs: int = 100_000
    vectors: np.ndarray = dataclasses.field(default_factory=lambda: np.ones((3, 2), np.float32))
    advances: int = 0

    def steps(self, _start=BEGINNING):
        """Yield the losses, one after the other."""
        for number, loss in enumerate(self.losses, start=1):
            self.advances = number
            is_last = number == len(self.losses)
            after = Position(1, 0) if is_last else Position(0, number)
            progress = number / len(self.losses)
            yield StepResult(0, loss * self.pairs, self.pairs, progress, after, ends_epoch=is_last)

    def read_vectors(self):
        """Return the vectors."""
        return self.vectors


def run(trainer, **settings):
    """Train with a scripted trainer that never reports within its one epoch."""
    return fit_with(config_of(epochs=1, **settings), trainer, 1000, lambda _: None)


@pytest.fixture(autouse=True)
def _rare_reports(monkeypatch):
    monkeypatch.setattr(progress_module, "_REPORTS_PER_EPOCH", 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 40.0])
def test_it_stops_within_the_epoch(bad):
    """NaN, infinity and a loss far above that of guessing are found some 100,000 pairs later."""
    trainer = Scripted([4.0] * 10 + [bad] * 90)

    with pytest.raises(DivergedError, match="diverged in epoch 1 of 1"):
        run(trainer)

    assert trainer.advances <= 13


@pytest.mark.parametrize("losses", [[4.16] * 50, [5.0, 4.0, 6.0] * 20, [4.0] * 20 + [11.0, 2.0] + [4.0] * 20])
def test_a_loss_near_guessing_is_no_divergence(losses):
    """Learning nothing, a bad start and a stretch of hard text are none of its business."""
    assert run(Scripted(losses)).epoch == 1


def test_few_pairs_are_no_mean():
    """What a handful of pairs lose says nothing; many handfuls do."""
    run(Scripted([50.0] * 9, pairs=1000))

    with pytest.raises(DivergedError, match=r"the mean loss is 50; that of random vectors is 4\.16"):
        run(Scripted([50.0] * 11, pairs=1000))


@pytest.mark.parametrize(("value", "said"), [(65600.0, "holds 65600"), (-1e9, "holds 1e"), (math.nan, "nan")])
def test_vectors_that_float16_cannot_hold_are_found_before_writing(value, said):
    """At the end of the epoch at the latest, with the value and the limit."""
    vectors = np.ones((5, 2), np.float32)
    vectors[3, 1] = value

    with pytest.raises(DivergedError, match=rf"{said}.*float16.*ends at 65504"):
        run(Scripted([4.0] * 5, vectors=vectors))


def test_vectors_are_looked_at_within_the_epoch(monkeypatch):
    """With a report, where it costs next to nothing."""
    monkeypatch.setattr(progress_module, "_REPORTS_PER_EPOCH", 20)
    trainer = Scripted([4.0] * 100, vectors=np.full((2, 2), 1e6, np.float32))

    with pytest.raises(DivergedError):
        run(trainer)

    assert trainer.advances <= 6


def test_a_look_that_takes_long_is_rare():
    """Within an epoch no more than a hundredth of the time goes into looking."""
    guard, looks = DivergenceGuard(config_of()), []
    guard._check_seconds, guard._checked_at = 1.0, divergence.time.perf_counter()
    trainer = Scripted([])
    trainer.read_vectors = lambda: looks.append(1) or np.ones((2, 2))

    guard.watch_vectors(trainer, StepResult(0, 1.0, 1, 0.5, Position(0, 1)))
    assert looks == []
    guard.watch_vectors(trainer, StepResult(0, 1.0, 1, 1.0, Position(1), ends_epoch=True))
    assert looks == [1]


def test_vectors_on_a_device_are_looked_at_after_the_epoch_only():
    """To bring them over within one would make it wait."""
    guard = DivergenceGuard(config_of(algorithm="minibatch", backend="cupy"))

    guard.watch_vectors(None, StepResult(0, 1.0, 1, 0.5, Position(0, 1)))  # would fail if it read


@pytest.mark.parametrize("rows", [1, 4095, 9000])
def test_the_largest_value_is_found_in_any_block(rows):
    """Also the last one of the last row, and a negative one."""
    vectors = np.zeros((rows, 3), np.float32)
    vectors[-1, -1] = -7

    assert largest_value(vectors) == 7


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"learning_rate": 0.5}, "The learning rate 0.5 is 10 times what is usual for cbow: try learning_rate=0.05."),
        (
            {"learning_rate": 0.1, "algorithm": "minibatch", "optimizer": "adam", "batch_size": 9000},
            "The learning rate 0.1 is 100 times what is usual for adam: try learning_rate=0.001.",
        ),
        (
            {"model": "skipgram", "algorithm": "minibatch", "batch_size": 4096},
            "A step sums the gradients of training.batch_size = 4,096 examples: try batch_size=512.",
        ),
        (
            {"model": "skipgram", "learning_rate": 0.05, "algorithm": "minibatch", "batch_size": 4096},
            (
                "The learning rate 0.05 is 2 times what is usual for skipgram: try learning_rate=0.025. "
                "A step sums the gradients of training.batch_size = 4,096 examples: try batch_size=512."
            ),
        ),
        ({"batch_size": 4096}, "The learning rate 0.05 is too high for this text: try learning_rate=0.0125."),
        (
            {"algorithm": "minibatch", "decay": "constant", "subsample": 0.0},
            (
                "The learning rate 0.05 is too high for this text: try learning_rate=0.0125 or a smaller "
                'training.batch_size (512) or decay="linear" or subsample=0.001.'
            ),
        ),
    ],
    ids=str,
)
def test_the_likely_cause_is_named(settings, said):
    """What is far from usual comes first, with its value and a better one; a batch counts only where it is summed."""
    assert str(DivergedError(likely_cause(config_of(**settings)))) == said


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Return 3,000 sentences of ten words, the first in a tenth of the places, the others by Zipf's law."""
    ranks = np.arange(2, 302)
    words = np.random.default_rng(11).choice(300, p=1 / ranks / (1 / ranks).sum(), size=(3000, 10))
    path = tmp_path_factory.mktemp("divergence") / "x.txt"
    path.write_text("\n".join(" ".join(f"w{word}" for word in line) for line in words), encoding="utf-8")
    return scan_corpus(path, Config.model_validate({"corpus": {"min_count": 1}}).corpus).text


def train_really(corpus, config):
    trainer, _ = factory.build_trainer(corpus, None, config, Schedule.of(config), Backend.NUMBA)
    return fit_with(config, trainer, len(corpus.word_ids), lambda _: None)


ORDINARY = [
    {"model": "cbow"},
    {"model": "skipgram"},
    {"model": "cbow", "negatives": 1},
    {"model": "skipgram", "negatives": 20},
    {"model": "cbow", "decay": "constant", "epochs": 10},
    {"model": "cbow", "algorithm": "minibatch"},
    {"model": "skipgram", "algorithm": "minibatch", "batch_size": 32},
    {"model": "cbow", "algorithm": "minibatch", "optimizer": "adam"},
    {"model": "cbow", "algorithm": "minibatch", "optimizer": "adam", "learning_rate": 0.02},
    {"model": "skipgram", "deterministic": True},
]


@pytest.mark.parametrize("settings", ORDINARY, ids=str)
def test_ordinary_trainings_stay_far_from_the_limit(corpus, settings, monkeypatch):
    """Each would be left alone even if the limit were 1.3 times the loss of guessing instead of 3."""
    monkeypatch.setattr(divergence, "_TIMES_GUESSING", 1.3)
    monkeypatch.setattr(divergence, "_FEWEST_PAIRS", 2000)
    config = config_of(**settings)

    assert train_really(corpus, config).epoch_losses[-1] < loss_of_guessing(config.sampling.negatives)


EXPLODING = [
    {"model": "cbow", "learning_rate": 1.0},
    {"model": "skipgram", "learning_rate": 0.5},
    {"model": "skipgram", "learning_rate": 0.5, "deterministic": True},
    {"model": "skipgram", "algorithm": "minibatch", "batch_size": 20_000, "learning_rate": 0.1, "epochs": 30},
    {"model": "cbow", "algorithm": "minibatch", "optimizer": "adam", "learning_rate": 10.0},
]


@pytest.mark.parametrize("settings", EXPLODING, ids=str)
def test_exploding_trainings_are_stopped(corpus, settings):
    """Whether they reach NaN or not."""
    with pytest.raises(DivergedError, match="No vectors were written"):
        train_really(corpus, config_of(**settings))
