"""How good vectors are that rounds of shards have made, beside those of one machine; without a cluster.

    python benchmarks/cluster_quality.py TEXT --case one --case shards=4 --case shards=4,sync_words=20000 ...
        [--models skipgram,cbow] [--seeds 1,2,3] [--data-dir DIR]

A case is `one`, which is one machine with as many threads as it has cores, or settings of the section `cluster`;
besides, `rate=1.3` multiplies the learning rate, and `order=neighbours` makes rounds of shards that lie next to each
other in the text. Rounds are planned, trained and combined by the functions that a cluster runs, one shard after the
other in this process: what comes out is what any number of workers would have made. D 100, window 5, 5 negatives, 3
epochs, words between white space, and the usual learning rates. DIR has the sets that `w2v download` keeps there:
wordsim353, simlex999, questions-words. Printed is one JSON object for each training, then one for each case: mean and
standard deviation over the seeds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import w2v_cli
from w2v_cli import __version__
from w2v_cli.cluster import scan
from w2v_cli.cluster.pool import Task
from w2v_cli.cluster.shards import Round
from w2v_cli.cluster.tasks import run_task
from w2v_cli.cluster.trainer import ClusterTrainer
from w2v_cli.config.schema import Config
from w2v_cli.corpus.sources import Source
from w2v_cli.evaluation.per_epoch import Evaluator
from w2v_cli.evaluation.sets import read_sets
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.loop import fit
from w2v_cli.training.schedule import Schedule

SETS = ("wordsim353", "simlex999", "questions-words")
RATES = {"cbow": 0.05, "skipgram": 0.025}


class Here:
    """A cluster that is this process."""

    workers = 1

    def run_in_order(self, works: Sequence[Task], *shared: Any, kept: Sequence[Any] = ()) -> Iterator[Any]:
        """Yield the result of each work."""
        for work in works:
            yield run_task(__version__, work.name, *kept, *shared, *work.argument)


def main() -> None:
    """Do it for all that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--case", action="append", required=True, metavar="NAME=VALUE,…")
    parser.add_argument("--models", default="skipgram,cbow", metavar="NAMES")
    parser.add_argument("--seeds", default="1,2,3", metavar="NUMBERS")
    parser.add_argument("--data-dir", type=Path, default=Path.home() / ".cache" / "w2v", metavar="DIR")
    arguments = parser.parse_args()
    for model in arguments.models.split(","):
        for case in arguments.case:
            scores = []
            for seed in map(int, arguments.seeds.split(",")):
                began = time.process_time()
                run = {"model": model, "case": case, "seed": seed}
                run |= measure(arguments.text, run, arguments.data_dir)
                scores.append([run[name] for name in SETS])
                print(json.dumps(run | {"processor_seconds": round(time.process_time() - began, 1)}), flush=True)
            found = {name: spread(values) for name, values in zip(SETS, zip(*scores, strict=True), strict=True)}
            print(json.dumps({"model": model, "case": case, "seeds": arguments.seeds} | found), flush=True)


def measure(text: Path, run: Mapping[str, Any], data_dir: Path) -> dict[str, float]:
    """Train as one run says; return its scores by the names of the sets, and how many rounds an epoch had."""
    given = {} if run["case"] == "one" else dict(part.split("=") for part in run["case"].split(","))
    rate = RATES[run["model"]] * float(given.pop("rate", 1))
    order = given.pop("order", "apart")
    config = Config.model_validate(
        {
            "corpus": {"tokens": "whitespace"},
            "model": {"model": run["model"], "dim": 100, "window": 5},
            "sampling": {"negatives": 5, "seed": run["seed"]},
            "training": {"algorithm": "block", "epochs": 3, "learning_rate": rate},
            "cluster": {name: int(value) if value.isdecimal() else value for name, value in given.items()},
        }
    )
    rounds = 0
    if run["case"] == "one":
        vectors = w2v_cli.train(text, config=config.model_dump(mode="json", exclude={"cluster", "output"}))
        words, rows = list(vectors), vectors.vectors
    else:
        read = scan.scan_on(Here(), [Source(str(text))], config.corpus, config.cluster)  # type: ignore[arg-type]
        planned = read.rounds if order == "apart" else as_neighbours(read.rounds)
        trainer = ClusterTrainer(Here(), planned, read.corpus.vocabulary, config, Backend.NUMBA, Schedule.of(config))  # type: ignore[arg-type]
        trained = fit(
            trainer,
            read.corpus.vocabulary.kept_words,
            config.training,
            Schedule.of(config),
            DivergenceGuard(config),
            lambda _: None,
        )
        words, rows, rounds = list(read.corpus.vocabulary.words), trained.input_vectors, len(planned)
    scores = Evaluator(read_sets(SETS, data_dir), words).score(rows)
    return {score.name: score.score or 0.0 for score in scores} | {"rounds": rounds}


def as_neighbours(rounds: Sequence[Round]) -> tuple[Round, ...]:
    """Return rounds of the same shards in the order of the text."""
    shards = sorted((shard for one in rounds for shard in one.shards), key=lambda shard: shard.number)
    planned, first = [], 0
    for one in rounds:
        planned.append(Round(tuple(shards[first : first + len(one.shards)]), one.ends_at))
        first += len(one.shards)
    return tuple(planned)


def spread(values: Sequence[float]) -> str:
    """Return mean and standard deviation.

    >>> spread([0.1, 0.2, 0.3])
    '.200 ± .100'
    """
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.3f} ± {deviation:.3f}".replace("0.", ".")


if __name__ == "__main__":
    main()
