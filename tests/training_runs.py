"""Trainings that are stopped, and go on from their snapshots."""

import dataclasses
import functools
import itertools
import math

from numpy.testing import assert_array_equal

from w2v_cli.config.types import parse_interval
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import build_embeddings
from w2v_cli.kernels.holdout import hold_out
from w2v_cli.kernels.load import load_block_engine, load_minibatch_engine
from w2v_cli.kernels.minibatch.batches import BatchBuilder
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training import snapshot
from w2v_cli.training.block import BlockTrainer
from w2v_cli.training.divergence import DivergenceGuard
from w2v_cli.training.loop import fit
from w2v_cli.training.minibatch import MinibatchTrainer
from w2v_cli.training.resume import restore
from w2v_cli.training.schedule import Schedule
from w2v_cli.training.snapshot import Identity
from w2v_cli.training.snapshot_writer import SnapshotWriter


@functools.cache
def _scanned(text, config):
    return scan_corpus(text, config).text


def corpus_of(text, config):
    """Return the scanned text; holding sentences out changes its array of words."""
    corpus = _scanned(text, config)
    return dataclasses.replace(corpus, word_ids=corpus.word_ids.copy())


def fit_with(config, trainer, words, on_progress=lambda _: None, **options):
    """Return what `fit` returns with the settings of a config; words: those of an epoch."""
    guard = DivergenceGuard(config)
    return fit(trainer, words, config.training, Schedule.of(config), guard, on_progress, **options)


def minibatch_trainer(backend, corpus, config, held_out=None, *, threads):
    """Return the trainer of the minibatch algorithm with the settings of a config."""
    model, sampling, training = config.model, config.sampling, config.training
    start = build_embeddings(corpus.vocabulary_size, model, sampling.seed)
    engine = load_minibatch_engine(backend, model, training.optimizer, start)
    builders = [BatchBuilder(text, model, sampling, training) if text else None for text in (corpus, held_out)]
    return MinibatchTrainer(engine, Schedule.of(config), *builders, epochs=training.epochs, threads=threads)


class Training:
    """A training on a text, with its snapshots in a file."""

    def __init__(self, text, config, path, *, threads=1):
        corpus, held_out = corpus_of(text, config.corpus), None
        if config.training.validation:
            corpus, held_out = hold_out(corpus, config.training.validation, config.sampling.seed)
        self.config, self.path, self.words, self.threads = config, path, len(corpus.word_ids), threads
        self.trainer = self._trainer(corpus, held_out)

    def _trainer(self, corpus, held_out):
        config, backend = self.config, Backend(self.config.training.backend)
        if config.training.algorithm == "minibatch":
            return minibatch_trainer(backend, corpus, config, held_out, threads=self.threads)
        engine = load_block_engine(backend, corpus, BlockSettings.of(config), held_out, threads=2)
        engine.span_words = 92
        return BlockTrainer(
            engine,
            Schedule.of(config),
            epochs=config.training.epochs,
            words=len(corpus.word_ids),
            held_out_words=len(held_out.word_ids) if held_out else 0,
            threads=self.threads,
        )

    def run(self, *, resume=False, stop_after=math.inf, every="100h"):
        """Train, from the snapshot or from the beginning, through so many advances; return what `train` returns."""
        self.trainer.prepare()
        state = None
        if resume:
            state = restore(self.trainer, snapshot.load_snapshot(self.path), self.path, self.config.training.epochs)
        questions = itertools.count(1)
        identity = Identity(self.config, {}, "numpy", is_reproducible=True)
        with SnapshotWriter(self.path, identity, parse_interval(every)) as writer:
            return fit_with(
                self.config,
                self.trainer,
                self.words,
                state=state,
                writer=writer,
                is_stop_wanted=lambda: next(questions) >= stop_after,
            )


def assert_equal(found, expected):
    assert_array_equal(found.input_vectors, expected.input_vectors)
    assert found.epoch_losses == expected.epoch_losses
    assert found.validation_losses == expected.validation_losses
    assert (found.epoch, found.is_complete, found.progress) == (expected.epoch, True, 1.0)
