"""The process of one trial: `python -m w2v_cli.bench.worker TRIAL.json FOLDER`.

It writes FOLDER/result.json with the wall and CPU seconds of training, without reading and compiling, and
FOLDER/vectors.npz.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from w2v_cli.bench.trial import Trial, word2vec_program

_LEAST_RATE = 1e-4  # of the first
_MATRIX = 1024


class Outcome(NamedTuple):
    """Wall and CPU seconds of training, the words with their vectors, and the version of the trainer."""

    seconds: float
    cpu_seconds: float
    words: list[str]
    vectors: NDArray[np.float32]
    version: str


def main(trial_file: str, folder: str) -> None:
    """Run a trial and write its results."""
    trial = Trial(**json.loads(Path(trial_file).read_text(encoding="utf-8")))
    if trial.trainer == "sgemm":
        result: dict[str, Any] = {"gigaflops": measure_sgemm()}
    else:
        outcome = _TRAIN[trial.trainer](trial)
        np.savez(Path(folder) / "vectors.npz", vectors=outcome.vectors, words=np.array(outcome.words, dtype=str))
        result = {"seconds": outcome.seconds, "cpu_seconds": outcome.cpu_seconds, "version": outcome.version}
    (Path(folder) / "result.json").write_text(json.dumps(result), encoding="utf-8")


def measure_sgemm() -> float:
    """Return the speed of NumPy's matrix product, in 1e9 operations per second; the caller limits its threads."""
    a = np.ones((_MATRIX, _MATRIX), np.float32)
    out = np.empty_like(a)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        np.matmul(a, a, out=out)
        seconds.append(time.perf_counter() - started)
    return 2 * _MATRIX**3 / min(seconds) / 1e9


def _train_w2v(trial: Trial) -> Outcome:
    from w2v_cli import __version__  # noqa: PLC0415  a trial loads what it trains with
    from w2v_cli.config import resolve  # noqa: PLC0415  a trial loads what it trains with
    from w2v_cli.pipeline import train  # noqa: PLC0415  a trial loads what it trains with
    from w2v_cli.training import factory, progress  # noqa: PLC0415  a trial loads what it trains with
    from w2v_cli.vectors import keyed_vectors  # noqa: PLC0415  a trial loads what it trains with

    output = str(Path(trial.corpus).with_suffix(".safetensors"))
    options = {
        "corpus.source": trial.corpus,
        "corpus.tokens": "whitespace",
        "corpus.min_count": 1,
        "model.model": trial.model,
        "model.dim": trial.dim,
        "model.window": trial.window,
        "sampling.negatives": trial.negatives,
        "sampling.subsample": trial.subsample,
        "sampling.seed": trial.seed,
        "training.epochs": trial.epochs,
        "training.learning_rate": trial.learning_rate,
        "training.threads": trial.threads,
        "training.deterministic": trial.trainer == "w2v-deterministic",
        "output.path": output,
        "output.overwrite": True,
    }
    resolved = resolve.resolve(options={key: (key, value) for key, value in options.items()}).config
    cpu_at: dict[type, float] = {}
    saved = train.train_vectors(resolved, Path(), lambda event: cpu_at.update({type(event): time.process_time()}))
    cpu_seconds = cpu_at[progress.Progress] - cpu_at[factory.EngineLoaded]
    words = list(keyed_vectors.load(Path(output)).words)
    return Outcome(saved.trained.seconds, cpu_seconds, words, saved.trained.input_vectors, __version__)


def _train_gensim(trial: Trial) -> Outcome:
    import gensim  # noqa: PLC0415  an extra
    from gensim.models import Word2Vec  # noqa: PLC0415

    model = Word2Vec(
        vector_size=trial.dim,
        window=trial.window,
        negative=trial.negatives,
        sample=trial.subsample,
        alpha=trial.learning_rate,
        min_alpha=trial.learning_rate * _LEAST_RATE,
        sg=int(trial.model == "skipgram"),
        min_count=1,
        workers=trial.threads,
        seed=trial.seed,
    )
    text: dict[str, Any] = {"corpus_file": trial.corpus}
    if trial.trainer == "gensim":
        text = {"corpus_iterable": list(_sentences(trial.corpus))}
    model.build_vocab(**text)
    sizes = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
    seconds, cpu_seconds = _timed(lambda: model.train(**text, **sizes, epochs=trial.epochs))
    return Outcome(seconds, cpu_seconds, list(model.wv.index_to_key), model.wv.vectors, gensim.__version__)


def _sentences(corpus: str) -> Iterator[list[str]]:
    with Path(corpus).open(encoding="utf-8") as lines:
        yield from (line.split() for line in lines)


def _train_floret(trial: Trial) -> Outcome:
    from importlib.metadata import version  # noqa: PLC0415

    import floret  # noqa: PLC0415  an extra

    settings: dict[str, Any] = {
        "model": trial.model,
        "dim": trial.dim,
        "ws": trial.window,
        "neg": trial.negatives,
        "t": trial.subsample,
        "lr": trial.learning_rate,
        "thread": trial.threads,
        "minCount": 1,
        "maxn": 0,
        "verbose": 0,
    }
    reading, cpu_reading = _timed(lambda: floret.train_unsupervised(trial.corpus, epoch=0, **settings))
    models: list[Any] = []
    seconds, cpu_seconds = _timed(
        lambda: models.append(floret.train_unsupervised(trial.corpus, epoch=trial.epochs, **settings))
    )
    words = models[0].get_words()
    vectors = np.array([models[0].get_word_vector(word) for word in words], np.float32)
    if reading < seconds and cpu_reading < cpu_seconds:  # not if the text is very short
        seconds, cpu_seconds = seconds - reading, cpu_seconds - cpu_reading
    return Outcome(seconds, cpu_seconds, words, vectors, version("floret"))


def _train_word2vec(trial: Trial) -> Outcome:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    output = Path(trial.corpus).with_suffix(".word2vec")
    options = {
        "-train": trial.corpus,
        "-output": str(output),
        "-size": trial.dim,
        "-window": trial.window,
        "-negative": trial.negatives,
        "-sample": trial.subsample,
        "-alpha": trial.learning_rate,
        "-iter": trial.epochs,
        "-threads": trial.threads,
        "-min-count": 1,
        "-cbow": int(trial.model == "cbow"),
        "-binary": 1,
    }
    command = [word2vec_program() or "word2vec", *(str(part) for option in options.items() for part in option)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  our own command
        assert process.stdout is not None  # noqa: S101  asked for above
        while b"Alpha:" not in (read := os.read(process.stdout.fileno(), 1 << 16)) and read:  # reading and start-up
            pass
        started, cpu_before = time.perf_counter(), _cpu_seconds(process.pid)
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with status {status}")
    words, vectors = _read_word2vec(output)
    try:
        package_version = version("word2vec")
    except PackageNotFoundError:
        package_version = "unknown"
    cpu_seconds = usage.ru_utime + usage.ru_stime - cpu_before
    return Outcome(seconds, cpu_seconds, words, vectors, package_version)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process so far; 0 if the system does not report them."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read_word2vec(path: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words and vectors of a binary file of word2vec.c."""
    words, rows = [], []
    with path.open("rb") as file:
        count, dim = map(int, file.readline().split())
        for _ in range(count):
            word = b"".join(iter(lambda: file.read(1), b" "))
            words.append(word.strip().decode())
            rows.append(np.frombuffer(file.read(4 * dim), np.float32))
    return words, np.array(rows)


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes, wall and CPU."""
    started, cpu_started = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - started, time.process_time() - cpu_started


_TRAIN: dict[str, Callable[[Trial], Outcome]] = {
    "w2v": _train_w2v,
    "w2v-deterministic": _train_w2v,
    "gensim": _train_gensim,
    "gensim-corpus-file": _train_gensim,
    "floret": _train_floret,
    "word2vec": _train_word2vec,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
