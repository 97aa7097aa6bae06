"""The figures of docs/explanation/cluster-cost.md: what a shard costs and sends, measured, beside the formula.

    python benchmarks/cluster_model.py TEXT [--without-million]

Shards from the middle of TEXT (sentences, words between white space) are trained by the function that workers run, in
this process, on one thread: processor time, so that other programs on the machine do not count, though they take its
caches. The same is done with a made text of 10 million words and a million different ones, of Zipf's law, at D 100 and
D 300 (6 GB of memory). Printed are two tables in Markdown: what was measured, and the speed of 2 to 64 workers as
times that of one that sends nothing. The second is a formula's; no cluster is started. Its longest shards are ten times
those that were measured, with the same speed and all rows changed.
"""

import argparse
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scaling import made_texts

from w2v_cli.cluster.merge import Combiner
from w2v_cli.cluster.shards import plan_rounds
from w2v_cli.cluster.tasks import PackedVocabulary, ShardResult, ShardTask, train_shard
from w2v_cli.config.schema import ClusterSettings, Config
from w2v_cli.corpus.parts import inspect_file
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source
from w2v_cli.kernels.block.blocks import BLOCK_CENTRES, shared_negatives
from w2v_cli.kernels.embeddings import build_embeddings
from w2v_cli.kernels.protocols import Backend
from w2v_cli.kernels.sampling import keep_probabilities
from w2v_cli.training.schedule import Schedule

MILLION = 1_000_000
NOVELS_WORDS = (30_000, 100_000, 300_000, MILLION)  # of a shard
WORKERS = (2, 4, 8, 16, 32, 64)
NETWORKS = {"10 Gbit/s": 1.25e9, "100 Gbit/s": 1.25e10}  # bytes a second
NEGATIVES, SUBSAMPLE = 5, 1e-3


@dataclass(frozen=True)
class Cost:
    """Of a shard: changed rows of both matrices, and words a second; V, D, P as in docs/explanation/cluster-cost.md."""

    vocabulary: int
    dim: int
    words: int
    rows: tuple[int, int]
    expected_rows: tuple[float, float]
    speed: float

    def sent_bytes(self, number_bytes: int) -> float:
        """Return C."""
        return sum(self.rows) * (8 + number_bytes * self.dim)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--without-million", action="store_true", help="Only TEXT.")
    arguments = parser.parse_args()
    costs: list[Cost] = []
    print("| | P | rows of the input vectors | of the output vectors | C, float32 | v, words/s |\n" + "|---" * 6 + "|")
    for model in ("cbow", "skipgram"):
        of_model = list(measure(arguments.text, model, 100, NOVELS_WORDS))
        print("\n".join(row_of(model, cost) for cost in of_model), flush=True)
        costs += [*of_model, ten_times(of_model[-1])] if model == "cbow" else []
    joined = combining_speed(arguments.text)
    if not arguments.without_million:
        with tempfile.TemporaryDirectory() as folder:
            *_, (_, _, path, _) = made_texts(Path(folder))
            for dim in (100, 300):
                of_dim = list(measure(path, "cbow", dim, (MILLION, 10 * MILLION)))
                print("\n".join(row_of(f"cbow, V 10⁶, D {dim}", cost) for cost in of_dim), flush=True)
                costs += [*of_dim, ten_times(of_dim[-1])]
    print(f"\na = {joined:.2g} bytes a second\n")
    print("| V, D | P | numbers | C | " + " | ".join(NETWORKS) + " |\n|---|---|---|---|---|---|")
    for cost in costs:
        for name, number_bytes in (("float32", 4), ("float16", 2)):
            print(predicted_row(cost, name, cost.sent_bytes(number_bytes), joined))


def measure(text: Path, model: str, dim: int, lengths: tuple[int, ...]) -> Iterator[Cost]:
    """Yield the cost of shards of several lengths: the median of three, where the text has so many."""
    for words in lengths:
        config, vocabulary, tasks = shards_of(text, model, dim, words)
        counts, state = vocabulary.counts, state_of(config, len(vocabulary.counts))
        train_shard(vocabulary, state, tasks[0])  # compiles, and makes the table of words
        seconds, results = [], []
        for task in tasks:
            began = time.process_time()
            results = [train_shard(vocabulary, state, task)]
            seconds.append(time.process_time() - began)
        changes = results[0].changes
        rows = tuple(len(changes[name].rows) for name in ("input_vectors", "output_vectors"))
        speed = words / statistics.median(seconds)
        yield Cost(len(counts), dim, words, (rows[0], rows[1]), expected_rows(counts, words), speed)


def ten_times(cost: Cost) -> Cost:
    """Return the cost of a shard ten times as long that changes all rows, at the same speed: not measured."""
    rows = (cost.vocabulary, cost.vocabulary)
    return replace(cost, words=10 * cost.words, rows=rows, expected_rows=rows)


def shards_of(text: Path, model: str, dim: int, words: int) -> tuple[Config, PackedVocabulary, list[ShardTask]]:
    """Return three shards of so many words from the middle of a text, or one where it is short."""
    settings = ClusterSettings(shards=1, sync_words=words)
    config = Config.model_validate(
        {
            "corpus": {"tokens": "whitespace", "min_count": 1 if "zipf" in text.name else 5},
            "model": {"model": model, "dim": dim, "window": 5},
            "sampling": {"negatives": NEGATIVES, "subsample": SUBSAMPLE},
            "training": {"algorithm": "block"},
            "cluster": settings.model_dump(),
        }
    )
    source = Source(str(text))
    vocabulary = scan_corpus([source], config.corpus).corpus.vocabulary
    rounds = plan_rounds([(source, inspect_file(source)[0])], vocabulary.kept_words, settings)
    middle = max(len(rounds) // 2 - 1, 0)
    tasks = [
        ShardTask.of(config, Backend.NUMBA, one.shards[0], 0, 0.0, 0.1, Schedule.of(config))
        for one in rounds[middle : middle + 3]
    ]
    return config, PackedVocabulary.of(vocabulary), tasks


def state_of(config: Config, size: int) -> Mapping[str, NDArray[np.float32]]:
    """Return the first values of both matrices."""
    start = build_embeddings(size, config.model, 1)
    return {"input_vectors": start.input_vectors, "output_vectors": start.output_vectors}


def expected_rows(counts: NDArray[np.int64], words: int) -> tuple[float, float]:
    """Return Σ (1 − exp(−n)) for both matrices, of words that are drawn independently."""
    kept = words * counts / counts.sum() * keep_probabilities(counts, SUBSAMPLE)
    negatives = kept.sum() / BLOCK_CENTRES * shared_negatives(NEGATIVES) * counts**0.75 / (counts**0.75).sum()
    return float((1 - np.exp(-kept)).sum()), float((1 - np.exp(-kept - negatives)).sum())


def combining_speed(text: Path) -> float:
    """Return a: the bytes of changes a second of processor time that Adasum makes one of, three shards of 10⁶ words."""
    config, vocabulary, tasks = shards_of(text, "cbow", 100, MILLION)
    state = state_of(config, len(vocabulary.counts))
    results: list[ShardResult] = [train_shard(vocabulary, state, task) for task in tasks]
    began = time.process_time()
    for name in state:
        combiner = Combiner("adasum")
        for result in results:
            combiner.add(result.changes[name])
        combiner.result()
    seconds = time.process_time() - began
    return sum(part.nbytes for result in results for change in result.changes.values() for part in change) / seconds


def predicted_row(cost: Cost, numbers: str, sent: float, joined: float) -> str:
    """Return a row of the second table."""
    speeds = [
        ", ".join(f"{speed_up(cost, workers, sent, network, joined):.1f}" for workers in WORKERS)
        for network in NETWORKS.values()
    ]
    size = f"{cost.vocabulary:,}, {cost.dim}"
    return f"| {size} | {cost.words:,} | {numbers} | {sent / 1e6:,.0f} MB | " + " | ".join(speeds) + " |"


def speed_up(cost: Cost, workers: int, sent: float, network: float, joined: float) -> float:
    """Return the speed of so many workers as times that of one, one shard each; delays of the network left out."""
    training = cost.words / cost.speed
    vectors = 2 * 4 * cost.vocabulary * cost.dim / network * (1 + math.ceil(math.log2(workers)))
    changes = workers * sent * (1 / network + 1 / joined)
    return workers * training / (training + vectors + changes)


def row_of(model: str, cost: Cost) -> str:
    """Return a row of the first table."""
    rows = [f"{found:,} ({wanted:,.0f})" for found, wanted in zip(cost.rows, cost.expected_rows, strict=True)]
    sent = f"{cost.sent_bytes(4) / 1e6:.1f} MB"
    return f"| {model} | {cost.words:,} | {rows[0]} | {rows[1]} | {sent} | {cost.speed / 1e6:.2f} M |"


if __name__ == "__main__":
    main()
