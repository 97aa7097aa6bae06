"""References to settings in messages: what they name exists, on the command line and in Python."""

import ast
from pathlib import Path

import pytest
import typer

from w2v_cli.cli import app
from w2v_cli.cli.options import as_option
from w2v_cli.config.schema import FIELDS
from w2v_cli.errors import ConfigError, as_keyword, option, render

PACKAGE = Path(app.__file__).parents[1]


def references():
    """Return each name that the source below cli refers to with `option("name")`, and the file."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_reference = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "option"
            if is_reference and isinstance(node.args[0], ast.Constant):
                found.add((node.args[0].value, path.name))
    return sorted(found)


def options_of(command):
    """Return the options of a command and of those below it."""
    subcommands = getattr(command, "commands", {}).values()
    return {flag for parameter in command.params for flag in parameter.opts}.union(*map(options_of, subcommands))


def test_what_messages_refer_to_can_be_typed():
    """Every reference in the source renders as an option of some command, or as --set with a setting."""
    options, found = options_of(typer.main.get_command(app.app)), references()

    assert len(found) > 30
    for name, file in found:
        typed = as_option(name)
        assert typed in options or typed.removeprefix("--set ") in FIELDS, (name, file)


@pytest.mark.parametrize(
    ("arguments", "typed", "keyword"),
    [
        (("min_count",), "--min-count", "min_count"),
        (("dim", 8), "--dim 8", "dim=8"),
        (("algorithm", "minibatch"), "--algorithm minibatch", 'algorithm="minibatch"'),
        (("backend", "cupy"), "--gpu", 'backend="cupy"'),
        (("backend", "numpy"), "--set training.backend=numpy", 'backend="numpy"'),
        (("max_vocab",), "--set corpus.max_vocab", "max_vocab"),
        (("shrink_window", False), "--set model.shrink_window=false", "shrink_window=False"),
        (("overwrite", True), "--overwrite", "overwrite=True"),
        (("init_from", 'a"é.safetensors'), '--init-from a"é.safetensors', 'init_from="a\\"é.safetensors"'),
        (("restrict",), "--restrict", "restrict"),
        (("output",), "--output", "output"),
    ],
)
def test_a_reference_is_rendered_for_its_reader(arguments, typed, keyword):
    """The command line names the option, Python the keyword; the text around stays, markers do not."""
    error = ConfigError(f"{{give}} {option(*arguments)}.")

    assert render(error.message, as_option) == f"{{give}} {typed}."
    assert str(error) == f"{{give}} {keyword}."
    assert render(error.message, as_keyword) == str(error)


def test_marks_in_a_file_name_are_text(w2v):
    """A name that holds the marks of a reference is no reference: one line, and the exit code of a missing file."""
    mark, end = "\N{WORD JOINER}\N{INVISIBLE SEPARATOR}", "\N{INVISIBLE SEPARATOR}\N{WORD JOINER}"

    done = w2v.run("info", f"{mark}seed=oops{end}")

    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "Traceback" not in done.stderr
