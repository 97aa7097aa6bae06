"""Speed and quality of our algorithms beside gensim: the same text, the same settings, in one run.

    make bench                                            # the built-in text
    python benchmarks/compare.py novels.txt --epochs 3 --rounds 5

Each round trains every contender once, so that a busy machine slows all of them; the ratio is taken within a round.
The first round compiles and is not counted. Quality is that of the last round. What is not installed is left out.
"""

import argparse
import functools
import importlib.util
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from w2v_cli import datasets, evaluation, kernels, scanner, training
from w2v_cli.block_training import BlockLearner
from w2v_cli.config import resolve
from w2v_cli.kernels.contract import Backend
from w2v_cli.learner import Learner
from w2v_cli.minibatch_training import MinibatchLearner
from w2v_cli.scanner import ScannedCorpus
from w2v_cli.settings import Config
from w2v_cli.vectors import WordVectors

EVALUATION_SETS = ("questions-words", "wordsim353", "simlex999")


@dataclass(frozen=True)
class Result:
    """The speed of one training in corpus words a second, and its vectors."""

    words_per_second: float
    vectors: np.ndarray


def train_block(corpus: ScannedCorpus, config: Config, *, threads: int) -> Result:
    """Train by the block algorithm; the scan is not counted, as gensim's vocabulary pass is not."""
    engine = kernels.load_block_engine(Backend.NUMBA, corpus, config)
    return run(corpus, config, BlockLearner(corpus, config, engine, threads=threads))


def train_minibatch(corpus: ScannedCorpus, config: Config) -> Result:
    """Train by the minibatch algorithm."""
    engine = kernels.load_minibatch_engine(Backend.NUMBA, is_classic=True)
    return run(corpus, config, MinibatchLearner(corpus, config, engine, threads=2))


def run(corpus: ScannedCorpus, config: Config, learner: Learner) -> Result:
    """Let a learner train."""
    trained = training.train(len(corpus.word_ids), config, learner, lambda _progress: None)
    return Result(corpus.vocabulary.kept_words * config.training.epochs / trained.seconds, trained.input_vectors)


def train_gensim(corpus: ScannedCorpus, config: Config) -> Result:
    """Train by gensim on the same words, fed as an iterable: its corpus_file mode trains at another learning rate."""
    from gensim.models import Word2Vec  # noqa: PLC0415  an extra

    words = np.array(corpus.vocabulary.words, dtype=object)
    sentences = [list(words[corpus.word_ids[a:b]]) for a, b in itertools.pairwise(corpus.sentence_offsets)]
    model = Word2Vec(
        vector_size=config.model.dim,
        window=config.model.window,
        negative=config.sampling.negatives,
        sample=config.sampling.subsample,
        alpha=config.learning_rate,
        min_alpha=config.learning_rate * 1e-4,
        sg=int(config.model.model == "skipgram"),
        min_count=1,
        workers=os.cpu_count() or 1,
        seed=config.sampling.seed,
    )
    model.build_vocab(sentences)
    started = time.perf_counter()
    model.train(sentences, total_examples=len(sentences), epochs=config.training.epochs)
    seconds = time.perf_counter() - started
    speed = corpus.vocabulary.kept_words * config.training.epochs / seconds
    return Result(speed, np.array([model.wv[word] for word in words]))


def find_contenders() -> dict[str, Callable[[ScannedCorpus, Config], Result]]:
    """Return what can be run here, the first being what the others are compared with."""
    contenders: dict[str, Callable[[ScannedCorpus, Config], Result]] = {}
    if importlib.util.find_spec("gensim"):
        contenders["gensim"] = train_gensim
    else:
        print('gensim is not installed and is left out: pip install ".[bench]"')
    for threads in sorted({1, os.cpu_count() or 1}):
        contenders[f"w2v block, threads: {threads}"] = functools.partial(train_block, threads=threads)
    contenders["w2v minibatch"] = train_minibatch
    return contenders


def quality(words: tuple[str, ...], counts: np.ndarray, vectors: np.ndarray, folder: Path) -> str:
    """Return the scores on the evaluation sets that are downloaded."""
    word_vectors = WordVectors(vectors, words, counts, {})
    scores = []
    for name in EVALUATION_SETS:
        path = datasets.installed_path(datasets.find(name), folder)
        if path is None:
            scores.append(f"{name}: `w2v download {name}` first")
        elif name == "questions-words":
            score = evaluation.analogy_accuracy(word_vectors, evaluation.read_analogy_questions(path))
            scores.append(f"analogies {score.correct} of {score.asked}")
        else:
            correlation = evaluation.similarity_correlation(word_vectors, evaluation.read_word_pairs(path))
            scores.append(f"{name} {correlation.correlation:.3f}")
    return ", ".join(scores)


def compare(corpus: ScannedCorpus, config: Config, rounds: int, folder: Path) -> None:
    """Train all contenders `rounds` times and print a line for each: words/s, ratio, quality."""
    contenders = find_contenders()
    results: dict[str, list[Result]] = {name: [] for name in contenders}
    for number, (name, train) in itertools.product(range(1 + rounds), contenders.items()):
        result = train(corpus, config)
        if number > 0:
            results[name].append(result)
    base = next(iter(results))
    for name, runs in results.items():
        speeds = [run.words_per_second for run in runs]
        ratios = [run.words_per_second / other.words_per_second for run, other in zip(runs, results[base], strict=True)]
        print(
            f"{config.model.model} {name}: {statistics.median(speeds):,.0f} words/s "
            f"({min(speeds):,.0f} to {max(speeds):,.0f}), {statistics.median(ratios):.2f} times {base} "
            f"({min(ratios):.2f} to {max(ratios):.2f}); "
            + quality(corpus.vocabulary.words, corpus.vocabulary.counts, runs[-1].vectors, folder)
        )


def main() -> None:
    """Read the arguments and compare on both models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="?", type=Path, help="a text file; by default the built-in text")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = datasets.data_folder(os.environ)
    with tempfile.TemporaryDirectory() as temporary:
        path = arguments.corpus or datasets.locate("demo", Path(temporary))
        for model in ("cbow", "skipgram"):
            config = resolve(sets=[f"model.model={model}", f"training.epochs={arguments.epochs}"]).config
            compare(scanner.scan(path, config.corpus), config, arguments.rounds, folder)


if __name__ == "__main__":
    main()
