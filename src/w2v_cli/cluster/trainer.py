"""The trainer of a cluster: in a round, workers train shards from one state, and their changes are merged."""

from collections.abc import Generator, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from w2v_cli.cluster.merge import Combiner
from w2v_cli.cluster.pool import Cluster, Task
from w2v_cli.cluster.shards import Round, most_words
from w2v_cli.cluster.tasks import PackedVocabulary, ShardResult, ShardTask
from w2v_cli.config.schema import Config
from w2v_cli.corpus.vocabulary import Vocabulary
from w2v_cli.kernels import Backend, BlockSettings, build_embeddings, resolve_backend
from w2v_cli.training import BEGINNING, NamedArrays, Position, RoundDone, Schedule, StepResult, mean_loss


def resolve_on(cluster: Cluster, wanted: str) -> Backend:
    """Return the backend of all workers for a value of training.backend; the GPU is theirs, not this machine's.

    Raises:
        MissingDependencyError: a present worker cannot use the backend. A later one is checked at its first shard.
    """
    if wanted != Backend.CUPY:
        return resolve_backend(wanted)
    cluster.ask_each(Task("resolve", (wanted,), "its GPU"))
    return Backend.CUPY


class ClusterTrainer:
    """Trains by the block algorithm on a cluster; a position is a number of rounds of an epoch.

    The result depends on the rounds alone, not on how many workers there are or which of them are lost.
    """

    def __init__(
        self,
        cluster: Cluster,
        rounds: Sequence[Round],
        vocabulary: Vocabulary,
        config: Config,
        backend: Backend,
        schedule: Schedule,
    ) -> None:
        self._cluster = cluster
        self._rounds = rounds
        self._vocabulary = PackedVocabulary.of(vocabulary)
        self._config = config
        self._backend = backend
        self._schedule = schedule
        start = build_embeddings(len(vocabulary), config.model, config.sampling.seed)
        self._state = {"input_vectors": start.input_vectors, "output_vectors": start.output_vectors}

    def prepare(self) -> None:
        """Compile on one worker; workers with their own folder of compiled code compile at their first shard.

        With GPUs every worker compiles, and checks that a shard fits into the memory of its device.
        """
        settings = BlockSettings.of(self._config)
        if self._backend is Backend.CUPY:
            size = len(self._vocabulary.counts), most_words(self._rounds, int(self._vocabulary.counts.sum()))
            self._cluster.ask_each(Task("compile", (settings, self._backend, *size), "its GPU"))
            return
        for _ in self._cluster.run_in_order([Task("compile", (settings, self._backend), "compiling")]):
            pass

    def steps(self, start: Position = BEGINNING) -> Generator[StepResult]:
        """Train, yielding after each round."""
        for epoch in range(start.epoch, self._config.training.epochs):
            for number in range(start.done if epoch == start.epoch else 0, len(self._rounds)):
                yield self._train_round(epoch, number)

    def drain(self) -> None:
        """Do nothing: each round ends drained."""

    def validation_loss(self) -> float:
        """Return the mean loss on the held-out sentences, nats per positive pair."""
        tasks = [self._round_tasks("measure", 0, number) for number in range(len(self._rounds))]
        every = [task for of_round in tasks for task in of_round]
        measured = list(self._cluster.run_in_order(every, self._state, kept=[self._vocabulary]))
        return mean_loss(sum(loss for loss, _ in measured), sum(pairs for _, pairs in measured))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return the input vectors, (V, D)."""
        vectors: NDArray[np.float32] = self._state["input_vectors"]
        return vectors

    def read_state(self) -> NamedArrays:
        """Return both matrices."""
        return self._state

    def restore(self, state: NamedArrays) -> None:
        """Put back what `read_state` returned."""
        for name, matrix in self._state.items():
            matrix[:] = state[name]

    def _train_round(self, epoch: int, number: int) -> StepResult:
        """Train a round and change the state; if the cluster fails, the state is that of the previous round."""
        combiners = {name: Combiner(self._config.cluster.combine) for name in self._state}
        loss_sum, pairs = 0.0, 0
        for result in self._results(self._round_tasks("train", epoch, number)):
            loss_sum, pairs = loss_sum + result.loss_sum, pairs + result.pairs
            for name, changes in result.changes.items():
                combiners[name].add(changes)
        for name, combiner in combiners.items():
            if (combined := combiner.result()) is not None:
                self._state[name][combined.rows] += combined.values
        is_last = number + 1 == len(self._rounds)
        after = Position(epoch + 1) if is_last else Position(epoch, number + 1)
        return StepResult(
            epoch,
            loss_sum,
            pairs,
            self._progress(epoch, number + 1),
            after,
            ends_epoch=is_last,
            round=RoundDone(number + 1, len(self._rounds), self._cluster.workers),
        )

    def _results(self, tasks: Sequence[Task]) -> Iterator[ShardResult]:
        return self._cluster.run_in_order(tasks, self._state, kept=[self._vocabulary])

    def _round_tasks(self, name: str, epoch: int, number: int) -> list[Task]:
        """Return the tasks of a round."""
        span = self._progress(epoch, number), self._progress(epoch, number + 1)
        place = f"of round {number + 1} of {len(self._rounds)}, epoch {epoch + 1}"
        return [
            Task(
                name,
                (ShardTask.of(self._config, self._backend, shard, epoch, *span, self._schedule),),
                f"shard {place_in_round + 1} {place} ({shard.label})",
            )
            for place_in_round, shard in enumerate(self._rounds[number].shards)
        ]

    def _progress(self, epoch: int, rounds: int) -> float:
        """Return the share of the whole training that is done after a number of rounds of an epoch."""
        done = self._rounds[rounds - 1].ends_at if rounds else 0.0
        return (epoch + done) / self._config.training.epochs
