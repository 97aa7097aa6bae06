"""What is read is never what is written, whatever --overwrite says: nobody means to lose a text by it."""

import pytest

from cli.running import FAST, the_error


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "text.txt", *FAST, "--output", "text.txt"),
        ("phrases", "text.txt", "--output", "text.txt"),
        ("phrases", "text.txt", "--output", "joined.txt", "--list", "text.txt"),
        ("export", "w2v.safetensors", "w2v.safetensors", "--format", "safetensors"),
        ("import", "w2v.safetensors", "--output", "w2v.safetensors"),
        ("map", "w2v.safetensors", "--output", "w2v.safetensors"),
    ],
    ids=lambda arguments: " ".join(arguments[:1] + arguments[-2:]),
)
def test_an_input_is_not_overwritten(asked, arguments):
    """Exit 2, and every file is what it was."""
    (asked.folder / "text.txt").write_text("king and queen\n" * 20, encoding="utf-8")
    before = asked.files()

    message = the_error(asked.run(*arguments, "--overwrite"), 2)

    assert message.endswith(" is also an input and would be lost: choose another output.")
    assert asked.files() == before


@pytest.mark.parametrize(
    "arguments", [("export", "w2v.safetensors", "-", "--format", "glove"), ("map", "-o", "-")], ids=lambda one: one[0]
)
def test_no_file_is_called_minus(asked, arguments):
    """Where it does not mean stdout, it is refused: exit 2."""
    assert "this output cannot go to stdout: name a file" in the_error(asked.run(*arguments), 2)
    assert not (asked.folder / "-").exists()


def test_a_group_without_a_command_shows_its_help(asked):
    """As `w2v` alone does, in plain lines."""
    done = asked.run("config")

    assert done.returncode == 2
    assert "Usage: w2v config" in done.stderr
    assert "error:" not in done.stderr


def test_what_a_killed_writer_left_is_cleared_by_the_next(asked):
    """In the folder of whatever is written."""
    stale = asked.folder / ".w2v-0123456789abcdef.tmp"
    stale.write_bytes(b"half")

    assert asked.run("export", "w2v.safetensors", "x.vec").returncode == 0
    assert not stale.exists()
