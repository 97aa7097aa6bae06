"""Several questions, stdin, sums, several files, vectors and words: what a script gets, and what is told."""

import json

import numpy as np
import pytest

from cli.running import the_error
from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

OLD = {"sea": (2, 1), "ship": (2, 2), "war": (1, 3), "new york": (3, 1), "-lrb-": (0, 1), "-": (1, 0)}
NEW = {"sea": (1, 2), "web": (2, 1), "war": (3, 1), "ship": (0, 1)}
COUNTS = [9, 7, 5, 5, 2, 1]


def save(folder, name, rows, counts=None):
    content = KeyedVectors(np.array(list(rows.values()), np.float16), tuple(rows), counts)
    keyed_vectors.save(folder / name, content, overwrite=False)


@pytest.fixture
def asked(w2v):
    """Return the Program with two small files: w2v.safetensors with counts, new.safetensors without."""
    save(w2v.folder, "w2v.safetensors", OLD, np.array(COUNTS))
    save(w2v.folder, "new.safetensors", NEW)
    return w2v


def rows(done, exit_code=0):
    assert done.returncode == exit_code, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def objects(done, exit_code=0):
    assert done.returncode == exit_code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_several_words_are_asked_at_once(asked):
    """With more than one question each line begins with it; the order is that of the questions."""
    found = rows(asked.run("similar", "war", "sea", "--top", "2"))

    assert [(question, word) for question, word, _ in found] == [
        ("war", "-lrb-"),
        ("war", "ship"),
        ("sea", "new york"),
        ("sea", "ship"),
    ]


def test_stdin_asks_a_question_a_line(asked):
    """Blank lines, CRLF, a byte order mark and spaces around a line are nothing; one word makes three columns, too."""
    done = asked.run("similar", "-", "-n", "1", input="\ufeff sea \r\n\r\n   \nwar + ship\r\nnew york")

    assert [row[:2] for row in rows(done)] == [["sea", "new york"], ["war + ship", "-lrb-"], ["new york", "sea"]]


def test_nothing_on_stdin_is_no_error(asked):
    """No question, no answer."""
    done = asked.run("similar", "-", input="\r\n\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stdin_and_words_mix(asked):
    """`-` stands for the lines of stdin among other questions."""
    done = asked.run("similar", "sea", "-", "ship", "-n", "1", input="war\n")

    assert [row[0] for row in rows(done)] == ["sea", "war", "ship"]


def test_unknown_words_among_others_are_told_one_by_one(asked):
    """The others are answered, each failure has its line, its object, and the exit code is that of the first."""
    question = ["similar", "-", "-n", "1"]
    text = asked.run(*question, input="sea\nsee\nsea +\nwar\n")
    found = objects(asked.run(*question, "--json", input="sea\nsee\nsea +\nwar\n"), exit_code=7)

    assert [row[0] for row in rows(text, exit_code=7)] == ["sea", "war"]
    assert [line.split(":")[0] for line in text.stderr.splitlines()] == ["error", "error"]
    assert "'see' is not in the vocabulary (6 words). Did you mean 'sea'?" in text.stderr
    assert [list(one)[2] for one in found] == ["word", "error", "error", "word"]
    assert found[1]["error"]["suggestions"] == ["sea"]
    assert [one["error"]["exit_code"] for one in found[1:3]] == [7, 2]


def test_words_may_begin_with_a_dash(asked):
    """Behind `--` nothing is an option; from stdin nothing is one anyway."""
    assert rows(asked.run("similar", "-n", "1", "--", "-lrb-"))[0][0] == "war"
    assert [row[0] for row in rows(asked.run("similar", "-", "-n", "1", input="-lrb-\n-\n--top\n"), 7)] == [
        "-lrb-",
        "-",
    ]
    assert rows(asked.run("similarity", "--", "-lrb-", "- sea + war"))


def test_only_frequent_words_answer(asked):
    """`--restrict` counts words, `--min-count` occurrences; together both hold."""
    assert {word for word, _ in rows(asked.run("similar", "war", "--restrict", "3"))} == {"sea", "ship"}
    assert {word for word, _ in rows(asked.run("similar", "war", "--min-count", "5"))} == {"sea", "ship", "new york"}
    both = asked.run("similar", "war", "--min-count", "7", "--restrict", "1")
    assert rows(both)[0][0] == "sea"


def test_a_file_without_counts_says_so(asked):
    """Its order stands for its counts, with a warning; --min-count is refused."""
    done = asked.run("similar", "war", "--restrict", "2", "-v", "new.safetensors")

    assert {word for word, _ in rows(done)} == {"sea", "web"}
    assert done.stderr == "warning: new.safetensors has no counts: --restrict uses its first 2 words.\n"
    assert "--min-count needs" in the_error(asked.run("similar", "war", "--min-count", "2", "-v", "new.safetensors"), 2)


TWO = ["-v", "w2v.safetensors", "-v", "new.safetensors"]


def test_two_files_stand_side_by_side(asked):
    """Two columns a file; JSON has each file's answers, and the words that both have."""
    found = rows(asked.run("similar", "sea", "-n", "4", *TWO))
    [content] = objects(asked.run("similar", "sea", "-n", "4", *TWO, "--json"))

    assert [row[0] for row in found] == ["new york", "ship", "-", "war"]
    assert [row[2] for row in found] == ["ship", "web", "war", ""]
    assert [file["vectors"] for file in content["files"]] == ["w2v.safetensors", "new.safetensors"]
    assert content["shared"] == ["ship", "war"]


def test_a_word_that_one_file_lacks_is_no_failure(asked):
    """Its column is empty, with a warning and, in JSON, null and suggestions."""
    done = asked.run("similar", "web", "sea", "-n", "1", *TWO)
    [content, _] = objects(asked.run("similar", "web", "sea", "-n", "1", *TWO, "--json"))

    assert [row[:2] for row in rows(done)] == [["web", ""], ["sea", "new york"]]
    assert done.stderr.startswith("warning: w2v.safetensors: 'web' is not in the vocabulary (6 words).")
    assert [file["neighbours"] is None for file in content["files"]] == [True, False]


def test_a_word_that_both_files_lack_is_unknown(asked):
    """Exit code 7, one line, one object with suggestions."""
    assert "'see' is not in the vocabulary" in the_error(asked.run("similar", "see", *TWO), 7)
    [content] = objects(asked.run("similarity", "see", "sea", *TWO, "--json"), exit_code=7)
    assert content["error"]["suggestions"] == ["sea"]


def test_analogies_come_in_threes(asked):
    """As arguments or lines, with tabs between words that hold spaces; a line of two is told, the others go on."""
    several = asked.run("analogy", "sea", "ship", "war", "war", "sea", "new york", "-n", "1")
    lines = asked.run("analogy", "-", "-n", "1", input="sea ship war\nsea ship\nwar\tsea\tnew york\n")

    assert [row[0] for row in rows(several)] == ["sea : ship :: war", "war : sea :: new york"]
    assert lines.stdout == several.stdout
    assert lines.returncode == 2
    assert (
        lines.stderr == "error: 'sea ship' has 2 words, but an analogy has three: A B C, separated by spaces or tabs.\n"
    )


def test_a_sum_gets_the_answers_of_its_analogy(asked):
    """That is B - A + C, by each method."""
    for method in ("add", "mul", "dot"):
        options = ["--method", method, "-n", "3"]
        assert (
            asked.run("similar", "ship - sea + war", *options).stdout
            == asked.run("analogy", "sea", "ship", "war", *options).stdout
        )


def test_similarity_is_a_number(asked):
    """One for one pair; several pairs, and lines of stdin, have their words before it."""
    assert asked.run("similarity", "sea", "ship").stdout == "0.9487\n"
    assert asked.run("similarity", "sea", "ship", *TWO).stdout == "0.9487\t0.8944\n"
    assert rows(asked.run("similarity", "-", input="sea ship\nsea + sea\tnew york\n")) == [
        ["sea", "ship", "0.9487"],
        ["sea + sea", "new york", "0.9899"],
    ]


def test_the_odd_word_is_shown(asked):
    """One word, or with --top all by how badly they fit; a line of stdin is a question."""
    question = ["sea", "ship", "new york", "--", "-lrb-"]
    [[word, _]] = rows(asked.run("odd", *question))
    ranked = rows(asked.run("odd", "--top", "9", *question))
    lines = rows(asked.run("odd", "-", input="sea ship war\nsea\tnew york\t-lrb-\n"))

    assert (word, ranked[0][0], len(ranked)) == ("-lrb-", "-lrb-", 4)
    assert [row[0] for row in lines] == ["war", "-lrb-"]
    assert "at least three different words" in the_error(asked.run("odd", "sea", "ship"), 2)


def test_vectors_are_printed(asked):
    """A word and its numbers, as short as they can be; a sum adds rows, and with --unit what `similar` looks for."""
    assert rows(asked.run("vector", "sea", "ship - sea")) == [["sea", "2.0", "1.0"], ["ship - sea", "0.0", "1.0"]]
    [content] = objects(asked.run("vector", "sea", "--unit", "--json"))
    assert content["vector"] == pytest.approx([0.894427, 0.447214], abs=1e-6)


def test_vocabulary_lists_words_and_counts(asked):
    """In the file's order; without counts, words alone."""
    assert rows(asked.run("vocabulary")) == [[word, str(count)] for word, count in zip(OLD, COUNTS, strict=True)]
    assert rows(asked.run("vocabulary", "--top", "1", "--min-count", "7")) == [["sea", "9"]]
    assert rows(asked.run("vocabulary", "new.safetensors")) == [[word] for word in NEW]
    assert "has no counts" in the_error(asked.run("vocabulary", "new.safetensors", "--min-count", "1"), 2)


def test_a_closed_pipe_ends_a_batch_quietly(asked):
    """Of many answers only some are read: exit code 141, and not a word."""
    with asked.started("similar", "-", "--json", stdin=-1) as process:
        process.stdout.close()
        _, errors = process.communicate("sea\n" * 5000)

    assert (process.returncode, errors) == (141, "")


def test_a_program_that_writes_a_line_gets_its_answer(asked):
    """Nothing waits for stdin to end."""
    with asked.started("similar", "-", "-n", "1", stdin=-1) as process:
        for word in ("sea", "war"):
            process.stdin.write(word + "\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith(word + "\t")
        process.stdin.close()
        assert process.wait(20) == 0
