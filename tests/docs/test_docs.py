"""The documents say what the program does. `python tests/test_docs.py` writes settings, schema and man page anew."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from json_schema import json_schema
from manual import manual_page
from w2v_cli import errors
from w2v_cli.cli import app
from w2v_cli.config.resolve import describe_settings, find_config_file, resolve
from w2v_cli.vectors.keyed_vectors import KeyedVectors, save

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = [*app._COMMANDS, *app._GROUPS]


def settings_page():
    """Return docs/reference/settings.md: every setting, as the program describes it."""
    lines = ["# Settings", ""]
    lines += ["In YAML, by `--set KEY=VALUE`, or by the environment; `configs/default.yaml` says more of each.", ""]
    lines += ["| key | default | allowed | meaning | environment |", "|---|---|---|---|---|"]
    for setting in describe_settings():
        variable = f"W2V_{setting.key.replace('.', '__').upper()}"
        meaning = setting.description.replace("<", "&lt;")
        cells = (f"`{setting.key}`", json.dumps(setting.default), setting.allowed, meaning, f"`{variable}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def run_w2v(*arguments):
    """Return what a command writes to stdout."""
    command = [sys.executable, "-m", "w2v_cli", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout


def options_of(command):
    """Return the long options in a command's help, of `config` in that of its own commands."""
    helps = [run_w2v(command, *inner, "--help") for inner in ([["show"], ["list"]] if command == "config" else [[]])]
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z-]+)", "\n".join(helps), re.MULTILINE))


def test_settings_page_is_up_to_date():
    """docs/reference/settings.md is what the program says of its settings."""
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_names_every_command_and_option(command):
    """Each command stands in the README, with each of its options."""
    assert f"`w2v {command}" in README
    assert options_of(command) - {"--help"} <= set(re.findall(r"--[a-z][a-z-]+", README))


def test_readme_has_only_commands_and_options_that_exist():
    """Each line `w2v …` of the documents names a command and options that there are."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    found = re.findall(r"^ {4}(?:\$ )?w2v ([a-z-]+)([^\n#]*)", text, re.MULTILINE)

    assert len(found) > 10
    known = {command: options_of(command) for command in COMMANDS}
    for command, rest in found:
        assert set(re.findall(r"--[a-z][a-z-]+", rest)) <= known[command], (command, rest)


def test_every_config_file_loads_and_is_named():
    """Every file of configs/ is valid, is found by its name, and stands in the README."""
    for path in (ROOT / "configs").glob("*.yaml"):
        assert resolve(file=find_config_file(path.stem)).config
        assert f"configs/{path.name}" in README


def test_every_exit_code_is_in_the_readme():
    """Each exception's exit code has a row in the README's table."""
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type)}

    assert {1, 2, 3, 9} <= codes
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Each relative link of a document is to a file that exists."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_modules_that_are_named_exist():
    """Each file of Python that the documents name is there."""
    there = {path.name for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")}
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


def test_snippet_of_the_readme_reads_a_file(tmp_path, monkeypatch):
    """The README's Python lines give words and vectors of a file that we wrote."""
    words = ("the", "sea", "Straße")
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    save(tmp_path / "w2v.safetensors", KeyedVectors(vectors, words, np.array([3, 2, 1]), {}), overwrite=False)
    monkeypatch.chdir(tmp_path)
    found = {}

    exec(re.search(r"```python\n(import numpy.*?)```", README, re.DOTALL).group(1), found)  # noqa: S102  our own README

    assert tuple(found["words"]) == words
    assert (found["vectors"] == vectors).all()


if __name__ == "__main__":
    (ROOT / "docs" / "settings.md").write_text(settings_page(), encoding="utf-8")
    (ROOT / "docs" / "json.schema.json").write_text(json_schema(), encoding="utf-8")
    (ROOT / "docs" / "man" / "w2v.1").write_text(manual_page(), encoding="utf-8")
