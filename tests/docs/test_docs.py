"""The documents say what the program does."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from generate_docs import GENERATED
from w2v_cli import errors
from w2v_cli.cli import app
from w2v_cli.config.resolve import find_config_file, resolve
from w2v_cli.vectors.keyed_vectors import KeyedVectors, save

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINE, EXIT_CODES, VECTORS_FILE = (
    (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("command-line", "exit-codes", "vectors-file")
)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = [*app._COMMANDS, *app._GROUPS]


def commands_typed(page):
    """Return what a page's blocks of code have behind each `w2v`, at the beginning of a line or behind a pipe."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"(?:^ {4}.*\n)+", text, re.MULTILINE)
    return re.findall(r"(?:^|\| |\$ )w2v ([a-z-]+)([^\n#|]*)", "\n".join(map(textwrap.dedent, blocks)), re.MULTILINE)


def run_w2v(*arguments):
    """Return what a command writes to stdout."""
    command = [sys.executable, "-m", "w2v_cli", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def options_of(command):
    """Return the long options in a command's help, of `config` in that of its own commands."""
    helps = [run_w2v(command, *inner, "--help") for inner in ([["show"], ["list"]] if command == "config" else [[]])]
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z-]+)", "\n".join(helps), re.MULTILINE))


@pytest.mark.parametrize("name", GENERATED)
def test_generated_page_is_up_to_date(name):
    """Each generated file below docs/ is up to date: `python tools/generate_docs.py` writes them."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == GENERATED[name]()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command):
    """Each command has a row in the README, and its options are in its part of the reference."""
    parts = re.findall(rf"^## w2v {command}\b.*?(?=^## |\Z)", COMMAND_LINE, re.MULTILINE | re.DOTALL)

    assert f"`w2v {command}" in README
    assert options_of(command) - {"--help"} <= set(re.findall(r"--[a-z][a-z-]+", "\n".join(parts)))


def test_documents_have_only_commands_and_options_that_exist():
    """Each `w2v …` in a block of code names a command and options that there are."""
    found = [(page, *typed) for page in PAGES for typed in commands_typed(page)]

    assert len(found) > 100
    known = {command: options_of(command) for command in COMMANDS}
    for page, command, rest in found:
        assert set(re.findall(r"--[a-z][a-z-]+", rest)) <= known[command] | {"--help"}, (page, command, rest)


def test_every_config_file_loads_and_is_named():
    """Every file of configs/ is valid, is found by its name, and stands in the reference."""
    for path in (ROOT / "configs").glob("*.yaml"):
        assert resolve(file=find_config_file(path.stem)).config
        assert f"configs/{path.name}" in GENERATED["reference/settings.md"]()


def test_every_exit_code_is_documented():
    """Each exception's exit code has a row in the table of the reference."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.W2vError)]
    codes = {kind.exit_code for kind in kinds}

    assert {1, 2, 3, 9} <= codes
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", EXIT_CODES, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Each relative link of a document is to a file that exists."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_modules_that_are_named_exist():
    """Each file of Python that the documents name is there."""
    there = {path.name for folder in ("src", "tests", "benchmarks", "tools") for path in (ROOT / folder).rglob("*.py")}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        named = {Path(name).name for name in re.findall(r"`(?!common|dataset/|ch04)([a-z][\w/]*\.py)`", text)}
        assert named <= there, page.name


def test_decisions_are_numbered_and_listed():
    """Pages of docs/adr have different numbers and are listed; a number that was set aside may not be needed."""
    pages = sorted(path.name for path in (ROOT / "docs" / "adr").glob("0*.md"))

    assert len({name[:4] for name in pages}) == len(pages)
    listed = re.findall(r"\((0[^)]+)\)", (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8"))
    assert listed == pages


def test_decisions_that_the_code_names_exist():
    """Each `docs/adr/NNNN` in the source is a page."""
    numbers = {int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("0*.md")}
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))

    assert {int(number) for number in re.findall(r"docs/adr/(\d{4})", source)} <= numbers


def test_snippet_of_the_reference_reads_a_file(tmp_path, monkeypatch):
    """The Python lines of the reference give words and vectors of a file that we wrote."""
    words = ("the", "sea", "Straße")
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    save(tmp_path / "w2v.safetensors", KeyedVectors(vectors, words, np.array([3, 2, 1]), {}), overwrite=False)
    monkeypatch.chdir(tmp_path)
    found = {}

    exec(re.search(r"```python\n(import numpy.*?)```", VECTORS_FILE, re.DOTALL).group(1), found)  # noqa: S102  our page

    assert tuple(found["words"]) == words
    assert (found["vectors"] == vectors).all()
