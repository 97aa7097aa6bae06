"""What the program says of itself, and to those who mistype."""

import re
from importlib import metadata

import pytest

from cli.running import the_error
from w2v_cli import __version__
from w2v_cli.cli.options import SETTING_OPTIONS
from w2v_cli.config.layers import read_value as yaml_value
from w2v_cli.config.schema import FIELDS

COMMANDS = [
    "download",
    "phrases",
    "train",
    "plot",
    "similar",
    "analogy",
    "similarity",
    "odd",
    "ask",
    "vector",
    "vocabulary",
    "info",
    "evaluate",
    "export",
    "import",
    "map",
    "bench",
    "config",
]
GROUPS = {"config": ["show", "list"]}
EVERY_COMMAND = [[name] for name in COMMANDS] + [[group, name] for group, names in GROUPS.items() for name in names]
# Typer itself loads pydantic where a command has options.
HEAVY = ["numpy", "numba", "ruamel", "requests", "tqdm", "rich", "safetensors", "platformdirs", "pandas"]
SHOW_HEAVY = f"""
import atexit, sys
atexit.register(lambda: sys.stderr.write(repr([name for name in {HEAVY} if name in sys.modules])))
"""


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_help_has_examples_first(w2v, command):
    """The help of each command goes to stdout; behind the sentence that sums it up, examples show how it is typed."""
    done = w2v.run(*command, "-h")

    assert (done.returncode, done.stderr) == (0, "")
    _usage, summary, examples, *_ = done.stdout.split("\n\n")
    assert re.fullmatch(r"[A-Z].*[.…]", " ".join(summary.split()))
    assert re.match(rf"  Examples:\n    .*w2v {' '.join(command)}", examples)


def test_every_command_is_tested(w2v):
    """The lists above have all the commands that there are."""
    for group, names in GROUPS.items():
        shown = w2v.run(group, "-h").stdout
        assert re.findall(r"^  (\w+)  +\w", shown.partition("Commands:")[2], re.MULTILINE) == names


def test_main_help_names_commands_and_exit_codes(w2v):
    """`w2v --help` lists every command, an example, and what each exit code means."""
    done = w2v.run("--help")

    assert done.returncode == 0
    assert re.findall(r"^  (\w+)  +\w", done.stdout.partition("Commands:")[2], re.MULTILINE) == COMMANDS
    assert "w2v similar you --top 5" in done.stdout
    assert "9 GPU or extra missing, 128+n stopped by signal n." in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["train", "--help"], ["similar", "--help"], ["ask", "--help"], ["evaluate", "--help"]],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(w2v, arguments):
    """A help text is there before anything that computes, reads YAML or downloads is loaded."""
    assert w2v.run(*arguments, first=SHOW_HEAVY).stderr == "[]"


def test_version(w2v):
    """`w2v --version` writes the version and nothing else."""
    done = w2v.run("--version")

    assert (done.stdout, done.stderr, done.returncode) == (f"w2v {__version__}\n", "", 0)


def test_the_command_is_installed_under_its_name():
    """The distribution's entry point `w2v` is the CLI's main."""
    [entry] = metadata.entry_points(group="console_scripts", name="w2v")

    assert entry.value == "w2v_cli.cli:main"


def test_no_command_shows_the_help_as_a_mistake(w2v):
    """`w2v` alone shows the whole help, on stderr, with the exit code of a usage error."""
    done = w2v.run()

    assert done.returncode == 2
    assert done.stdout == ""
    assert "Commands:" in done.stderr


@pytest.mark.parametrize("option", SETTING_OPTIONS, ids=lambda option: option.flag)
def test_help_tells_each_setting_s_default(option):
    """The default in an option's help is the config's, unless the config leaves it open; a flag has none."""
    default = FIELDS[option.key].default

    if option.metavar and default is not None and not option.is_list:
        assert yaml_value(option.default) == default
    assert option.metavar or option.default is None


@pytest.mark.parametrize("option", SETTING_OPTIONS, ids=lambda option: option.flag)
def test_help_tells_each_choice(option):
    """An option for a setting with few values names them all, and a shell may complete them."""
    choices = getattr(FIELDS[option.key].annotation, "__args__", ())
    texts = [choice for choice in choices if isinstance(choice, str)]

    if option.metavar and not option.is_list:
        assert option.metavar.split("|") == texts or not texts
        assert list(option.complete("")) == texts


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'? See `w2v --help`."),
        (["train", "--epoch", "3"], "--epochs"),
        (["similar"], "missing argument WORD..."),
        (["similar", "a", "--top", "0"], "--top must be at least 1. "),
        (["similar", "a", "--top", "x"], "--top must be a whole number. "),
        (["map", "--clusters", "99"], "--clusters must be at most 32. "),
        (["phrases", "--threshold", "x"], "--threshold must be a number. "),
        (["analogy", "a", "b"], "analogy needs three words per question, got 2: w2v analogy A B C."),
        (["similarity", "a"], "See `w2v similarity --help`."),
        (["analogy", "a", "b", "c", "--method", "sum"], "'add', 'mul', 'dot'"),
        (["evaluate", "--method", "sum"], "--method: 'sum' is not one of 'add', 'mul', 'dot'."),
        (["--top", "3"], "No such option"),
    ],
)
def test_wrong_usage_is_one_line(w2v, arguments, expected):
    """A mistyped command, option or argument is told in one line, with a likely meaning or where to look."""
    message = the_error(w2v.run(*arguments), 2)

    assert expected in message
    assert "--help`." in message
    assert "Value error" not in message


def test_vectors_do_not_go_to_stdout(w2v):
    """As an output `-` is told to be no file, rather than written as one."""
    before = w2v.files()

    message = the_error(w2v.run("train", "text.txt", "--output", "-"), 2)

    assert "(-)" in message
    assert w2v.files() == before
