"""What each command's --json writes is what docs/reference/json.md says."""

import json
import os
import signal

import pytest

from cli.running import FAST
from documented import read_page
from w2v_cli.cli.console import JSON_SCHEMA

PAGE = read_page("json.md")
TWO = ["-v", "w2v.safetensors", "-v", "w2v.safetensors"]
ON = ["--on", "pairs.txt", "--on", "questions.txt"]
CASES = {
    "similar": ["similar", "king", "queen"],
    "similar in several files": ["similar", "king - man", *TWO, "--method", "mul"],
    "analogy": ["analogy", "king", "man", "queen", "--restrict", "9"],
    "analogy in several files": ["analogy", "king", "man", "queen", *TWO],
    "similarity": ["similarity", "king", "queen"],
    "similarity in several files": ["similarity", "king", "queen", *TWO],
    "odd": ["odd", "king", "queen", "sea"],
    "vector": ["vector", "king"],
    "vocabulary": ["vocabulary", "--top", "3"],
    "info": ["info"],
    "evaluate": ["evaluate", "w2v.safetensors", "w2v.safetensors", *ON, "--method", "add", "--method", "mul"],
    "export": ["export", "w2v.safetensors", "x.vec"],
    "import": ["import", "foreign.txt", "-o", "imported"],
    "map": ["map", "--clusters", "3"],
    "download list": ["download", "--list"],
    "phrases": ["phrases", "text.txt", "--threshold", "1"],
    "train": ["train", "text.txt", *FAST, "--output", "a", "--validation", "0.2", "--evaluate", "pairs.txt"],
    "train dry run": ["train", "text.txt", *FAST, "--output", "b", "--dry-run"],
    "config show": ["config", "show", "--epochs", "3"],
    "config list": ["config", "list"],
    "failure": ["similar", "kinng"],
}


@pytest.mark.parametrize("part", CASES)
def test_json_is_as_the_page_says(asked, part):
    """Each object has the fields of its part, of the types that stand there, and no others."""
    asked.write("pairs.txt", "king queen 8\nman woman 7\nsea home 2\nunknown sea 1\n")
    asked.write("questions.txt", ": family\nking queen man woman\n: gram1\nking man queen woman\n: gram2\na b c d\n")
    asked.write("foreign.txt", "king 0.1 0.2\nqueen 3 4\n")

    done = asked.run(*CASES[part], "--json")

    assert done.returncode == (7 if part == "failure" else 0), done.stderr
    lines = done.stdout.splitlines()
    assert lines
    for line in lines:
        content = json.loads(line)
        PAGE.check(content, part)
        assert (content["schema"], content["command"]) == (JSON_SCHEMA, CASES[part][0])


def test_the_page_has_a_part_for_every_case():
    """Each part that describes a command is produced here, but for those of commands with tests of their own."""
    parts = {part for part, table in PAGE.parts.items() if table} - {"download", "plot", "bench", "gpu-check"}
    nested = {kind for fields in PAGE.parts.values() for kind in fields.values()}

    assert {part for part in parts if not any(part in kind for kind in nested) or part in CASES} == set(CASES)
    assert f"version of this page: {JSON_SCHEMA}" in PAGE.text


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_signal_is_a_failure(asked):
    """A program that is stopped while it waits for questions says so in JSON, too."""
    with asked.started("similar", "-", "--json", "-n", "1", stdin=-1) as process:
        process.stdin.write("king\n")
        process.stdin.flush()
        PAGE.check(json.loads(process.stdout.readline()), "similar")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()

    assert process.returncode == 143
    PAGE.check(json.loads(output), "failure")
