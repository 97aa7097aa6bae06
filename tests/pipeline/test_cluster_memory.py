"""The memory of a round is what docs/how-to/cluster.md says, as far as it is ours: Dask's buffers are not traced."""

import math
import tracemalloc

import numpy as np
import pytest

from w2v_cli.cluster.merge import Combiner, RowChanges
from w2v_cli.cluster.shards import Shard
from w2v_cli.cluster.tasks import PackedVocabulary, ShardTask, train_shard
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.schedule import Schedule

V, D = 60_000, 100
M = 4 * V * D
SLACK = 0.5 * M  # blocks of rows, and what grows with V alone


class Peak:
    """The most bytes that are taken within a block, besides those before it."""

    def __enter__(self):
        tracemalloc.start()
        self._before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *_):
        self.bytes = tracemalloc.get_traced_memory()[1] - self._before
        tracemalloc.stop()


@pytest.mark.parametrize("rule", ["adasum", "mean", "weighted"])
@pytest.mark.parametrize("shards", [2, 3, 4, 8, 9])
def test_the_driver_holds_a_change_for_each_halving_and_two(rule, shards):
    """M · (⌈log2 S⌉ + 2) for each matrix, where every shard has changed every row."""
    rows, values = np.arange(V, dtype=np.int32), np.ones((V, D), np.float32)
    combiner = Combiner(rule)

    with Peak() as peak:
        for _ in range(shards):
            combiner.add(RowChanges(rows, values.copy(), np.ones(V, np.float32)))
        combiner.result()

    assert peak.bytes < M * (math.ceil(math.log2(shards)) + 2) + SLACK


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """Return the vocabulary of a text in which each word stands once, and a shard that is all of it."""
    path = tmp_path_factory.mktemp("memory") / "x.txt"
    words = [f"w{number}" for number in range(V)]
    path.write_text("\n".join(" ".join(words[first : first + 20]) for first in range(0, V, 20)), encoding="utf-8")
    config = Config.model_validate(
        {"corpus": {"min_count": 1}, "model": {"dim": D}, "training": {"algorithm": "block"}, "cluster": {"shards": 1}}
    )
    source = Source(str(path))
    vocabulary = PackedVocabulary.of(scan_corpus([source], config.corpus).corpus.vocabulary)
    return vocabulary, ShardTask.of(
        config, Backend.NUMBA, Shard(0, (source,), path.stat().st_size), 0, 0.0, 0.1, Schedule.of(config)
    )


def test_a_worker_trains_in_one_copy_and_returns_another(task):
    """2·M·1.2 to train in, and 2·M of changes, besides the state that it was given."""
    state = {name: np.full((V, D), 0.01, np.float32) for name in ("input_vectors", "output_vectors")}
    train_shard(task[0], state, task[1])  # compiles, and makes the table of words

    with Peak() as peak:
        result = train_shard(task[0], state, task[1])

    assert len(result.changes["input_vectors"].rows) > 0.9 * V
    assert peak.bytes < 2 * M * 1.2 + 2 * M + SLACK
