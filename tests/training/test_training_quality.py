"""What training is for: words of the same kind end up near each other, whichever way they are trained."""

import math

import pytest

from cycle_text import CLASSES, WORDS_OF_CLASS, purity
from training_runs import fit_with, minibatch_trainer
from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.kernels.protocols import Backend


def train_on(text, *, seed=1, backend="numba", **settings):
    config = Config.model_validate(
        {
            "model": {"dim": 16, "window": 2} | settings.get("model", {}),
            "sampling": {"subsample": 0.0, "seed": seed},
            "training": {"epochs": 4, "batch_size": 128} | settings.get("training", {}),
        }
    )
    corpus, encoded = scan_corpus(text, config.corpus)
    trainer = minibatch_trainer(Backend(backend), encoded, config, threads=1)
    return corpus, fit_with(config, trainer, len(encoded.word_ids), lambda _: None)


WAYS = {
    "cbow, SGD": {},
    "cbow, SGD, corrected gradient": {"model": {"cbow_gradient": "mean"}, "training": {"learning_rate": 0.1}},
    "skip-gram, SGD": {"model": {"model": "skipgram"}},
    "cbow, Adam": {"training": {"optimizer": "adam", "learning_rate": 0.01}},
    "skip-gram, Adam": {"model": {"model": "skipgram"}, "training": {"optimizer": "adam", "learning_rate": 0.01}},
    "the book's": {
        "model": {"shrink_window": False, "partial_windows": False, "init": "normal", "cbow_gradient": "mean"},
        "training": {"optimizer": "adam", "learning_rate": 0.01, "decay": "constant", "batch_size": 100},
    },
}


@pytest.mark.parametrize("settings", WAYS.values(), ids=WAYS.keys())
def test_words_of_a_class_are_neighbours(cycle_text, settings):
    """More than 90 % of each word's five nearest are of its class; chance is 13 %."""
    corpus, trained = train_on(cycle_text, **settings)

    assert purity(corpus, trained.input_vectors) > 0.9


def best_loss(*, negatives):
    """Return the loss of the best predictor there is where the context gives away the class and nothing more.

    Its score for a word of the class is log(p / q), p how often the word is the target and q how often a negative
    (Levy & Goldberg 2014, eq. 7); for all others it is -∞. A negative is any word but the target.
    """
    p = 1 / WORDS_OF_CLASS
    q = negatives * (1 - p) / (CLASSES * WORDS_OF_CLASS - 1)
    return math.log(1 + q / p) + WORDS_OF_CLASS * q * math.log(1 + p / q)


@pytest.mark.parametrize("training", [{"optimizer": "adam", "learning_rate": 0.01}, {"learning_rate": 0.2}])
def test_loss_reaches_that_of_the_best_predictor(cycle_text, training):
    """After 20 epochs over whole windows the loss is within 4 % of the least that is possible, 1.118 nats."""
    model = {"shrink_window": False, "partial_windows": False, "cbow_gradient": "mean"}
    _, trained = train_on(cycle_text, model=model, training={"epochs": 20} | training)

    assert trained.epoch_losses[-1] == pytest.approx(best_loss(negatives=5), rel=0.04)
