"""What training is for: words of the same kind end up near each other, whichever way they are trained."""

import math

import numpy as np
import pytest

from w2v_cli.config.schema import Config
from w2v_cli.corpus.scan import scan
from w2v_cli.kernels.load import load_minibatch_engine
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.protocols import Backend
from w2v_cli.training.loop import train
from w2v_cli.training.minibatch import MinibatchTrainer

CLASSES, WORDS_OF_CLASS, SENTENCES, SENTENCE_WORDS = 7, 12, 1500, 14
NEIGHBOURS = 5


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Return a text of 21,000 words whose grammar is a cycle: a word of class c is followed by any of class c + 1.

    Words of one class never stand within two words of each other: they are alike in their contexts alone.
    """
    rng = np.random.default_rng(5)
    classes = (rng.integers(0, CLASSES, (SENTENCES, 1)) + np.arange(SENTENCE_WORDS)) % CLASSES
    members = rng.integers(0, WORDS_OF_CLASS, classes.shape)
    path = tmp_path_factory.mktemp("quality") / "cycle.txt"
    lines = [
        " ".join(f"{kind}x{member}" for kind, member in zip(*sentence, strict=True))
        for sentence in zip(classes, members, strict=True)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def train_on(text, *, seed=1, backend="numba", **settings):
    config = Config.model_validate(
        {
            "model": {"dim": 16, "window": 2} | settings.get("model", {}),
            "sampling": {"subsample": 0.0, "seed": seed},
            "training": {"epochs": 4, "batch_size": 128} | settings.get("training", {}),
        }
    )
    corpus = scan(text, config.corpus)
    engine = load_minibatch_engine(Backend(backend), objective_of(config.model))
    trainer = MinibatchTrainer(corpus, config, engine, threads=1)
    return corpus, train(len(corpus.word_ids), config, trainer, lambda _: None)


def purity(corpus, vectors):
    """Return the share of the five nearest words by cosine that are of the word's own class."""
    kinds = np.array([word.split("x")[0] for word in corpus.vocabulary.words])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argsort(-cosines, axis=1)[:, :NEIGHBOURS]
    return float((kinds[nearest] == kinds[:, None]).mean())


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
def test_words_of_a_class_are_neighbours(text, settings):
    """More than 90 % of each word's five nearest are of its class; chance is 13 %."""
    corpus, trained = train_on(text, **settings)

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
def test_loss_reaches_that_of_the_best_predictor(text, training):
    """After 20 epochs over whole windows the loss is within 4 % of the least that is possible, 1.118 nats."""
    model = {"shrink_window": False, "partial_windows": False, "cbow_gradient": "mean"}
    _, trained = train_on(text, model=model, training={"epochs": 20} | training)

    assert trained.epoch_losses[-1] == pytest.approx(best_loss(negatives=5), rel=0.04)
