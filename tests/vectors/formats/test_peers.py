"""gensim, spaCy and floret load what is exported, and answer as w2v does; w2v imports what gensim writes."""

import pickle
import warnings

import numpy as np
import pytest
from exchanging import export, import_file
from numpy.testing import assert_array_equal

from factories import similar
from w2v_cli.vectors.keyed_vectors import KeyedVectors

WORDS = ["the", "straße", "日本語", "🚀", "e\u0301", *(f"word{number}" for number in range(195))]


@pytest.fixture(scope="module")
def original():
    """Return 200 words whose vectors are like those of a training."""
    rng = np.random.default_rng(11)
    return KeyedVectors((rng.standard_normal((200, 24)) * 0.3).astype(np.float16), WORDS, np.arange(200, 0, -1))


@pytest.fixture(scope="module")
def gensim():
    """Return gensim's KeyedVectors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what gensim is built on
        return pytest.importorskip("gensim.models").KeyedVectors


def neighbours(word_vectors, word):
    """Return the five nearest words that w2v answers."""
    return [neighbour.word for neighbour in similar(word_vectors, word, top=5)]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # no_header
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("word2vec", {}),
        ("word2vec-binary", {"binary": True}),
        ("fasttext", {}),
        ("glove", {"no_header": True}),
    ],
)
def test_gensim_answers_the_same_neighbours(tmp_path, original, gensim, name, options):
    """Each word, each number, and the five nearest words of every tenth word."""
    export(original, tmp_path / "x", name)

    loaded = gensim.load_word2vec_format(tmp_path / "x", **options)

    assert loaded.index_to_key == WORDS
    assert_array_equal(loaded.vectors, original.vectors.astype(np.float32))
    for word in WORDS[::10]:
        assert [near for near, _ in loaded.most_similar(word, topn=5)] == neighbours(original, word)


def test_our_text_is_gensims(tmp_path, original, gensim):
    """Byte for byte: the shortest text of each float32."""
    theirs = gensim(24)
    theirs.add_vectors(WORDS, original.vectors.astype(np.float32) / 3)
    theirs.save_word2vec_format(tmp_path / "theirs")

    export(KeyedVectors(theirs.vectors, WORDS), tmp_path / "ours", "word2vec")

    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


@pytest.mark.parametrize("options", [{}, {"binary": True}, {"write_header": False}], ids=str)
def test_what_gensim_writes_is_imported(tmp_path, original, gensim, options):
    """As text, as binary file, without a header."""
    theirs = gensim(24)
    theirs.add_vectors(WORDS, original.vectors.astype(np.float32))
    theirs.save_word2vec_format(tmp_path / "x", **options)

    found, _ = import_file(tmp_path / "x", tmp_path / "y")

    assert found.words == WORDS
    assert_array_equal(found.vectors, original.vectors)


def test_spacy_answers_the_same_neighbours(tmp_path, original):
    """`spacy init vectors` reads the text, with its header and without."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what spaCy is built on
        spacy = pytest.importorskip("spacy")
        from spacy.training.initialize import convert_vectors  # noqa: PLC0415  only where there is spaCy
    for name in ("word2vec", "glove"):
        export(original, tmp_path / f"{name}.txt", name)
        language = spacy.blank("xx")
        convert_vectors(language, tmp_path / f"{name}.txt", truncate=0, prune=-1)

        vectors = language.vocab.vectors
        for word in WORDS[::20]:
            assert_array_equal(language.vocab.get_vector(word), original.vectors[WORDS.index(word)].astype(np.float32))
            keys, _, _ = vectors.most_similar(language.vocab.get_vector(word)[np.newaxis], n=6)
            assert [language.vocab.strings[key] for key in keys[0]][1:] == neighbours(original, word)


def test_an_archive_of_int8_answers_nearly_the_same(tmp_path, original, gensim):
    """Gensim takes its rows times their scales; of five neighbours four or five are the same."""
    export(original, tmp_path / "x.npz", dtype="int8")
    with np.load(tmp_path / "x.npz") as found:
        loaded = gensim(24)
        loaded.add_vectors(WORDS, found["vectors"] * found["scales"][:, np.newaxis])

    for word in WORDS[::10]:
        assert len({near for near, _ in loaded.most_similar(word, topn=5)} & set(neighbours(original, word))) >= 4


def test_the_books_own_code_reads_its_layout(tmp_path, original):
    """Pickle gives the three parts, as ch04/eval.py takes them."""
    export(original, tmp_path / "x.pkl")

    parts = pickle.loads((tmp_path / "x.pkl").read_bytes())  # noqa: S301  our own file

    assert parts["word_to_id"]["🚀"] == 3
    assert parts["id_to_word"][3] == "🚀"
    assert parts["word_vecs"].dtype == np.float16
    assert_array_equal(parts["word_vecs"], original.vectors)


def test_floret_trains_on_from_the_vec_file(tmp_path, original):
    """FastText's code takes the file as its pretrained vectors: at a learning rate of almost nothing they stay."""
    floret = pytest.importorskip("floret")
    export(original, tmp_path / "x.vec")
    (tmp_path / "text").write_text(f"__label__a {' '.join(WORDS)}\n" * 2)

    model = floret.train_supervised(
        str(tmp_path / "text"), dim=24, epoch=1, lr=1e-9, thread=1, verbose=0, pretrainedVectors=str(tmp_path / "x.vec")
    )

    for row, word in enumerate(WORDS):
        np.testing.assert_allclose(model.get_word_vector(word), original.vectors[row], atol=1e-6)
    for word in ("word3", "日本語"):
        theirs = [neighbour for _, neighbour in model.get_nearest_neighbors(word, k=5)]
        assert theirs == [neighbour.word for neighbour in similar(original, word, top=5)]
