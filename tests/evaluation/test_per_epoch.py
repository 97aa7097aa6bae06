"""Scores while training goes on: those of the file that would be written, in bounded memory."""

import json
import tracemalloc

import numpy as np
import pytest

from w2v_cli.errors import ConfigError, CorpusError
from w2v_cli.evaluation import metrics
from w2v_cli.evaluation import sets as evaluation_sets
from w2v_cli.evaluation.per_epoch import Evaluator, contents_by_name
from w2v_cli.evaluation.sets import AnalogySection, EvaluationSet, read_sets
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

QUESTIONS = ": family\nking queen man woman\nking queen man Girl\n: none\nx y z king\n"
PAIRS = "# words and ratings\nking\tqueen\t8.5\nman\twoman\t8\nking\tgirl\t2\nx\ty\t1\n"


@pytest.fixture
def words():
    """Return a small vocabulary and a vector for each word."""
    names = ("king", "queen", "man", "woman", "girl", "sea", "sky", "Sea")
    return KeyedVectors(np.random.default_rng(5).standard_normal((8, 6)).astype(np.float32), names)


@pytest.fixture
def sets_at(tmp_path):
    """Return a function that reads sets, after writing files of these contents."""

    def read(*sources, **files):
        for name, content in files.items():
            (tmp_path / f"{name}.txt").write_text(content, encoding="utf-8")
        return read_sets([str(tmp_path / f"{name}.txt") for name in files] + list(sources), tmp_path / "data")

    return read


@pytest.mark.parametrize("threads", [1, 3])
def test_scores_are_those_of_the_saved_file(words, sets_at, tmp_path, threads):
    """The evaluator gives the numbers that `evaluate` gives for the float16 file."""
    sets = sets_at(questions=QUESTIONS, pairs=PAIRS)
    keyed_vectors.save(tmp_path / "x", words, overwrite=False)
    saved = keyed_vectors.load(tmp_path / "x")

    analogies, similarity = Evaluator(sets, words.words, threads=threads).score(words.vectors)

    expected = metrics.analogy_accuracy(saved, sets[0].sections).total
    assert (analogies.score, analogies.asked, analogies.skipped) == (expected.accuracy, 2, 1)
    ranked = metrics.similarity_correlation(saved, sets[1].pairs)
    assert (similarity.score, similarity.asked, similarity.skipped) == (ranked.correlation, 3, 1)
    assert (analogies.coverage, similarity.coverage) == (2 / 3, 3 / 4)


def test_rounding_decides_as_in_the_file(words):
    """Two cosines that only float32 tells apart tie, as they do in the file."""
    rows = np.array([[1, 0], [1, 1e-8], [1, 2e-8], [0, 1]], np.float32)
    one = EvaluationSet("x", pairs=(("king", "queen", 1.0), ("king", "man", 2.0), ("king", "woman", 3.0)))
    kept = KeyedVectors(rows.astype(np.float16), words.words[:4])

    [found] = Evaluator([one], words.words[:4]).score(rows)

    assert found.score == metrics.similarity_correlation(kept, one.pairs).correlation


def test_scores_are_json(words, sets_at):
    """By the set's name, with what was asked and what share of the set that is; null where there is no score."""
    sets = sets_at(questions=QUESTIONS, pairs="king queen 1\n")

    told = json.loads(json.dumps(contents_by_name(Evaluator(sets, words.words).score(words.vectors))))

    assert set(told) == {"questions.txt", "pairs.txt"}
    assert told["pairs.txt"] == {"correlation": None, "asked": 1, "skipped": 0, "coverage": 1.0}
    assert set(told["questions.txt"]) == {"accuracy", "asked", "skipped", "coverage"}


def test_memory_is_bounded_by_the_set_not_by_the_vocabulary():
    """Scoring many words takes a few blocks, far less than a copy of their vectors."""
    rows = np.random.default_rng(1).standard_normal((60_000, 50)).astype(np.float32)  # 12 MB
    words = [f"w{i}" for i in range(len(rows))]
    questions = tuple((f"w{i}", f"w{i + 1}", f"w{i + 2}", f"w{i + 3}") for i in range(200))
    evaluator = Evaluator([EvaluationSet("x", (AnalogySection("x", questions),))], words)
    evaluator.score(rows)  # compiles

    tracemalloc.start()
    evaluator.score(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("", r"x\.txt holds nothing"),
        ("# only a remark\n", r"x\.txt holds nothing"),
        ("to be or not to be\n", r"x\.txt:1: expected a section of analogy questions .*'to be or not to be'"),
        ("\na b c d\n", r"x\.txt:2: a question before the first section"),
        (": x\na b c d\na b\n", r"x\.txt:3: a question has 4 words, found 2"),
        ("a b 1\na b c\n", r"x\.txt:2: expected two words and a finite number"),
        ("a b 1\n" + "b" * 10_000 + "\n", r"x\.txt:2: expected two words .{,120}\.\.\.\.$"),
    ],
)
def test_a_file_that_is_no_set_is_refused_by_line(sets_at, content, cause):
    """Exit 3, naming file and line, in one short message, before anything is trained."""
    with pytest.raises(CorpusError, match=cause) as refusal:
        sets_at(x=content)

    assert refusal.value.exit_code == 3


def test_windows_line_ends_are_line_ends(sets_at):
    """CRLF and a byte order mark are no part of a word."""
    [one] = sets_at(x="\ufeffking queen 1\r\nman woman 2\r\n")

    assert one.pairs == (("king", "queen", 1.0), ("man", "woman", 2.0))


def test_a_huge_file_is_refused(sets_at, monkeypatch):
    """What no evaluation set is long enough to be is not read to its end."""
    monkeypatch.setattr(evaluation_sets, "_MOST_BYTES", 100)

    with pytest.raises(CorpusError, match="longer than 100 bytes"):
        sets_at(x="a b 1\n" * 30)


@pytest.mark.parametrize(
    ("source", "kind", "cause"),
    [
        ("ptb", ConfigError, "ptb is a corpus, not an evaluation set; choose one of questions-words, "),
        ("wordsim353", CorpusError, r"wordsim353 is not downloaded; run `w2v download wordsim353`"),
        ("wordsim35", CorpusError, "neither a file nor one of .* did you mean 'wordsim353'"),
        ("/", CorpusError, "cannot read the evaluation set /: Is a directory"),
    ],
)
def test_a_name_of_no_set_is_refused(sets_at, source, kind, cause):
    """Corpora, sets that are not downloaded, names with a slip and folders are told apart."""
    with pytest.raises(kind, match=cause):
        sets_at(source)


def test_a_downloaded_set_is_found_by_its_name(sets_at, tmp_path):
    """Its name is that of the table."""
    folder = tmp_path / "data" / "wordsim353"
    folder.mkdir(parents=True)
    (folder / "wordsim353.tsv").write_text(PAIRS, encoding="utf-8")

    assert [one.name for one in sets_at("wordsim353")] == ["wordsim353"]


def test_two_sets_of_one_name_are_refused(sets_at, tmp_path):
    """Their scores could not be told apart."""
    with pytest.raises(ConfigError, match=r"two evaluation sets are called 'x\.txt'"):
        sets_at(str(tmp_path / "x.txt"), x=PAIRS)
