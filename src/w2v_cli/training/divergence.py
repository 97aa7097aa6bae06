"""The guard against a training that diverges, and the likely cause for the message."""

import math
import time

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import Config
from w2v_cli.errors import DivergedError, option
from w2v_cli.training.trainer import StepResult, Trainer
from w2v_cli.vectors import BLOCK_ROWS, MAX_FLOAT16

_TIMES_GUESSING = 3.0  # trainings that learn stay below 1.2, those that do not pass 5 (docs/adr/0013)
_FEWEST_PAIRS = 10_000  # fewer pairs give no reliable mean
_CHECK_SHARE = 0.01  # of the time goes into looking at vectors within an epoch
_USUAL_BATCH = 512
_FAR = 1.5  # times the usual value: far enough to be the cause


class DivergenceGuard:
    """Stops a training soon after its loss or vectors leave all bounds.

    It takes the whole config, because the message names the setting to change, whichever section that is in.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._loss = 0.0
        self._pairs = 0
        self._checked_at = -math.inf
        self._check_seconds = 0.0

    def watch_loss(self, loss: float, pairs: int, epoch: int) -> None:
        """Add the summed loss of some pairs, and check the mean.

        Args:
            loss: The summed loss in nats.
            pairs: The number of positive pairs.
            epoch: From 0.

        Raises:
            DivergedError: The mean loss is far above that of random vectors.
        """
        self._loss += loss
        self._pairs += pairs
        self.check_loss(self._loss, epoch)
        if self._pairs >= _FEWEST_PAIRS:
            mean, guessing = self._loss / self._pairs, loss_of_guessing(self._config.sampling.negatives)
            if mean > _TIMES_GUESSING * guessing:
                raise self._diverged(f"the mean loss is {mean:.3g}; that of random vectors is {guessing:.3g}", epoch)
            self._loss, self._pairs = 0.0, 0

    def check_loss(self, loss: float, epoch: int) -> None:
        """Check that a loss is finite.

        Args:
            loss: The loss.
            epoch: From 0.

        Raises:
            DivergedError: The loss is not finite.
        """
        if not math.isfinite(loss):
            raise self._diverged("the loss is no longer a finite number", epoch)

    def watch_vectors(self, trainer: Trainer, step: StepResult) -> None:
        """Check the vectors after an epoch, and within an epoch if a check takes little time and no copy."""
        started = time.perf_counter()
        is_at_hand = self._config.training.backend != "cupy"
        is_cheap = started - self._checked_at >= self._check_seconds / _CHECK_SHARE
        if step.ends_epoch or (is_at_hand and is_cheap):
            self.check_vectors(trainer.read_vectors(), step.epoch)
            self._checked_at = time.perf_counter()
            self._check_seconds = self._checked_at - started

    def check_vectors(self, vectors: NDArray[np.float32], epoch: int) -> None:
        """Check that the vectors can be saved as float16.

        Args:
            vectors: (V, D) float32.
            epoch: From 0.

        Raises:
            DivergedError: A value is not finite as float16.
        """
        largest = largest_value(vectors)
        if not largest <= MAX_FLOAT16:
            found = f"a vector holds {largest:.6g}, and float16, which vectors are saved in, ends at {MAX_FLOAT16:.0f}"
            raise self._diverged(found, epoch)

    def _diverged(self, found: str, epoch: int) -> DivergedError:
        epochs = self._config.training.epochs
        return DivergedError(
            f"training diverged in epoch {epoch + 1} of {epochs}: {found}. {likely_cause(self._config)} No vectors "
            f"were written."
        )


def loss_of_guessing(negatives: int) -> float:
    """Return the mean loss of random vectors, nats per positive pair: (1 + K) · ln 2, that of 1 + K coin flips.

    >>> round(loss_of_guessing(5), 2)
    4.16
    """
    return (1 + negatives) * math.log(2)


def likely_cause(config: Config) -> str:
    """Return the likely cause of a divergence with this config, with its value, and what to try."""
    training, rate, usual = config.training, config.learning_rate, config.usual_learning_rate
    is_summed = training.algorithm == "minibatch" and training.optimizer == "sgd"
    whose = "adam" if training.optimizer == "adam" else config.model.model
    causes = []
    if rate > _FAR * usual:
        causes.append(
            f"The learning rate {rate:g} is {rate / usual:.3g} times what is usual for {whose}: try "
            f"{option('learning_rate', float(f'{usual:g}'))}."
        )
    if is_summed and training.batch_size > _FAR * _USUAL_BATCH:
        causes.append(
            f"A step sums the gradients of training.batch_size = {training.batch_size:,} examples: try "
            f"{option('batch_size', _USUAL_BATCH)}."
        )
    if causes:
        return " ".join(causes)
    cures = [
        option("learning_rate", float(f"{rate / 4:g}")),
        *([f"a smaller training.batch_size ({training.batch_size:,})"] if is_summed else []),
        *([option("decay", "linear")] if training.decay == "constant" else []),
        # Without subsampling the gradients of a frequent word add up in a block.
        *([option("subsample", 0.001)] if config.sampling.subsample == 0 else []),
    ]
    return f"The learning rate {rate:g} is too high for this text: try {' or '.join(cures)}."


def largest_value(vectors: NDArray[np.float32]) -> float:
    """Return the largest absolute value of the vectors, NaN if one is NaN; takes memory for some thousand rows.

    >>> largest_value(np.array([[1.0, -2.0]], np.float32))
    2.0
    """
    blocks = (vectors[first : first + BLOCK_ROWS] for first in range(0, len(vectors), BLOCK_ROWS))
    return float(np.max([np.abs(block).max() for block in blocks]))
