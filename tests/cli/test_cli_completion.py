"""The Tab key: in bash, zsh and fish themselves, and by what Typer is asked for."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2v_cli.cli.completion import complete_dataset, complete_setting, is_plain, words_starting_with
from w2v_cli.cli.options import FormatOption
from w2v_cli.config.schema import FIELDS
from w2v_cli.datasets import registry
from w2v_cli.vectors.formats.registry import FORMATS
from w2v_cli.vectors.keyed_vectors import KeyedVectors, save

WORDS = ("the", "king", "kingdom", "don't", "new york", "queen", "Straße", "-lrb-", "ing", "kin")
# Typer itself loads pydantic where a command has options.
HEAVY = ["numpy", "numba", "requests", "tqdm", "rich", "platformdirs"]
SHOW_HEAVY = f"""
import atexit, sys
atexit.register(lambda: sys.stderr.write(repr([name for name in {HEAVY} if name in sys.modules])))
"""


@pytest.fixture
def shell(w2v):
    """Return the Program, with `w2v` on its PATH, w2v.safetensors of WORDS, and other.safetensors of one word."""
    for name, words in (("w2v", WORDS), ("other", ("elsewhere",))):
        vectors = np.ones((len(words), 2), np.float32)
        save(w2v.folder / f"{name}.safetensors", KeyedVectors(vectors, words), overwrite=False)
    path = w2v.write("bin/w2v", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m w2v_cli "$@"\n')
    path.chmod(0o755)
    w2v.environment["PATH"] = f"{path.parent}{os.pathsep}{w2v.environment['PATH']}"
    return w2v


def asked(program, line, *, first=""):
    """Return what bash is told for a line that ends where the cursor is."""
    words = line.split(" ")
    env = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_W2V_COMPLETE": "complete_bash"}
    return program.run(env=env, first=first)


def needs(name):
    """Return the mark of a test that runs a shell."""
    is_there = os.name == "posix" and shutil.which(name) is not None
    return pytest.mark.skipif(not is_there, reason=f"there is no {name}: completion in it was NOT tested")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("w2v tr", ["train"]),
        ("w2v config ", ["show", "list"]),
        ("w2v train d", ["demo"]),
        ("w2v train t", []),  # no name of ours: the shell proposes files
        ("w2v bench p", ["ptb"]),
        ("w2v config show p", ["ptb"]),
        ("w2v train --config book", ["book-cbow", "book-skipgram"]),
        ("w2v train --model s", ["skipgram"]),
        ("w2v train --evaluate w", ["wordsim353", "w2v.safetensors"]),
        ("w2v phrases p", ["ptb"]),
        ("w2v phrases --config book", ["book-cbow", "book-skipgram"]),
        ("w2v evaluate --on w", ["wordsim353", "w2v.safetensors"]),
        ("w2v evaluate --method ", ["add", "mul", "dot"]),
        ("w2v export a.safetensors b --format word", ["word2vec", "word2vec-binary"]),
        ("w2v import a --format f", ["fasttext", "finalfusion"]),
        ("w2v train --set training.ep", ["training.epochs="]),
        (
            "w2v config show --set sampling.",
            [f"sampling.{name}=" for name in ("negatives", "exponent", "subsample", "seed")],
        ),
        ("w2v phrases --set corpus.tok", ["corpus.tokens=", "corpus.token_pattern="]),
        ("w2v download s", ["simlex999"]),
        ("w2v similar kin", ["king", "kingdom", "kin"]),
        ("w2v similar Stra", ["Straße"]),
        ("w2v similar d", []),
        ("w2v similar --vectors other.safetensors e", ["elsewhere"]),
        ("w2v similar -v missing.safetensors e", []),
        ("w2v similar -v text.txt e", []),
        ("w2v analogy king queen k", ["king", "kingdom", "kin"]),
        ("w2v odd q", ["queen"]),
        ("w2v vector q", ["queen"]),
        ("w2v similarity q", ["queen"]),
        ("w2v nonsense x", []),
        ("w2v train --nonsense x", []),
    ],
)
def test_proposals(shell, line, expected):
    """Each place proposes what can stand there, and says nothing else, whatever was typed before."""
    done = asked(shell, line)

    assert (done.stdout.split(), done.stderr) == (expected, "")


def test_names_of_corpora_come_with_the_files_beside_them(shell):
    """`w2v train` and Tab proposes the corpora first, then what lies in the folder."""
    (shell.folder / "speeches").mkdir()
    (shell.folder / "a file.txt").touch()

    found = asked(shell, "w2v train ").stdout.split("\n")

    assert found[:2] == ["demo", "ptb"]
    assert {"speeches/", "text.txt"} <= set(found)
    assert "a file.txt" not in found


@pytest.mark.parametrize(
    "line", ["w2v train ", "w2v similar k", "w2v train --config ", "w2v train --set ", "w2v download "]
)
def test_nothing_heavy_is_loaded_for_a_key(shell, line):
    """What a key press waits for loads neither NumPy nor Numba nor what talks to servers."""
    assert asked(shell, line, first=SHOW_HEAVY).stderr == "[]"


def test_a_failure_is_silent(shell):
    """A request that makes no sense ends without a word on the terminal."""
    done = shell.run(env={"_W2V_COMPLETE": "complete_bash"})

    assert (done.stdout, done.stderr) == ("", "")


def test_names_are_those_of_the_table():
    """What is proposed as a corpus or a set is what the table of datasets has."""
    table = registry.read_table()

    assert complete_dataset("") == sorted(table, key=lambda name: table[name].kind)


def test_settings_and_formats_are_those_there_are():
    """Every setting is proposed, and every format that there is; each once."""
    [formats] = [one for one in get_args(get_args(FormatOption)[0]) if one is not type(None)]

    assert complete_setting("") == [f"{key}=" for key in FIELDS]
    assert get_args(formats) == tuple(FORMATS)


@given(
    st.lists(st.text("kin gΩ'", min_size=1, max_size=4), min_size=1, max_size=30, unique=True),
    st.text("kin gΩ'", max_size=2),
)
def test_proposed_words_are_those_that_begin_so(tmp_path_factory, words, prefix):
    """Of any vocabulary exactly the plain words that begin so are proposed, in the file's order."""
    path = tmp_path_factory.mktemp("words") / "w2v.safetensors"
    save(path, KeyedVectors(np.ones((len(words), 1), np.float32), words), overwrite=False)

    assert words_starting_with(path, prefix) == [word for word in words if word.startswith(prefix) and is_plain(word)]


@given(st.data())
def test_damaged_files_propose_nothing_worse(tmp_path_factory, data):
    """A file that is cut or altered anywhere proposes words or none; nothing is raised."""
    path = tmp_path_factory.mktemp("damaged") / "w2v.safetensors"
    save(path, KeyedVectors(np.ones((len(WORDS), 2), np.float32), WORDS), overwrite=False)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])

    assert isinstance(words_starting_with(path, "k"), list)


MORE = ["w2v evaluate --method m", "w2v export a b --format gl", "w2v train --set training.ep"]


@needs("bash")
def test_bash_completes(shell):
    """The script that Typer gives makes bash complete a command, a corpus and a word."""
    code = """
eval "$(_W2V_COMPLETE=source_bash w2v)"
complete -p w2v > /dev/null
propose() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _w2v_completion w2v; echo "${COMPREPLY[*]}"; }
propose w2v tr
propose w2v train de
propose w2v similar kin
propose w2v similar '"king - q'
propose w2v evaluate --method m
propose w2v export a b --format gl
propose w2v train --set training.ep
"""
    done = in_shell(shell, ["bash", "--norc", "-c", code])

    assert (done.stdout.splitlines(), done.stderr) == (
        ["train", "demo", "king kingdom kin", "", "mul", "glove", "training.epochs="],
        "",
    )


@needs("fish")
def test_fish_completes(shell):
    """The script that Typer gives makes fish complete a command, a corpus, a word, and a file where no name fits."""
    lines = ["w2v tr", "w2v train de", "w2v similar kin", "w2v train te", *MORE]
    asking = "; ".join(f"complete --do-complete {shlex.quote(line)}; echo ==" for line in lines)
    done = in_shell(shell, ["fish", "--no-config", "-c", f"_W2V_COMPLETE=source_fish w2v | source; {asking}"])

    answers = [[line.partition("\t")[0] for line in part.split("\n") if line] for part in done.stdout.split("==\n")]
    expected = [["train"], ["demo"], ["kin", "king", "kingdom"], ["text.txt"], ["mul"], ["glove"], ["training.epochs="]]
    assert [sorted(answer) for answer in answers[: len(lines)]] == expected


@needs("zsh")
def test_zsh_completes(shell):
    """In zsh on a terminal, Tab completes a command, a corpus and a word."""
    lines = ["autoload -Uz compinit; compinit -u -D", 'eval "$(_W2V_COMPLETE=source_zsh w2v)"', "PS1='ready> '"]
    typed = ["w2v tra\t", "w2v train de\t", "w2v similar kingd\t", *(f"{line}\t" for line in MORE)]

    shown = type_on_terminal(shell, ["zsh", "-f", "-i"], lines, typed)

    more = ("--method mul", "--format glove", "--set training.epochs=")
    for expected in ("w2v train", "w2v train demo", "w2v similar kingdom", *more):
        assert expected in shown


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("bash", ".bash_completions/w2v.sh", marks=needs("bash")),
        pytest.param("zsh", ".zfunc/_w2v", marks=needs("zsh")),
        pytest.param("fish", ".config/fish/completions/w2v.fish", marks=needs("fish")),
    ],
)
def test_completion_is_installed(shell, name, file):
    """`w2v --install-completion` in a shell writes that shell's script; `--show-completion` prints it."""
    done = in_shell(shell, [name, "-c", "w2v --install-completion; true"])
    shown = in_shell(shell, [name, "-c", "w2v --show-completion; true"])

    installed = shell.folder.parent / "home" / file
    assert done.returncode == 0, done.stderr
    assert installed.read_text(encoding="utf-8").strip() == shown.stdout.strip()
    assert "_W2V_COMPLETE" in shown.stdout


def in_shell(program, command):
    """Run a shell in the program's folder and environment."""
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=program.folder,
        env=program.environment,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def type_on_terminal(program, command, lines, typed):
    """Run a shell on a terminal: send `lines`, then type each of `typed` and wait until it is completed; return all."""
    import pty  # noqa: PLC0415  there is none on Windows

    ours, theirs = pty.openpty()
    environment = program.environment | {"TERM": "dumb", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=program.folder, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = ""
        try:
            for line in lines:
                os.write(ours, f"{line}\n".encode())
            shown += read_until(ours, r"[\r\n]ready> ")
            for keys in typed:
                os.write(ours, keys.encode())
                shown += read_until(ours, re.escape(keys.strip()) + r"\S+ ")
                os.write(ours, b"\x15")  # Ctrl-U: take the line back
        finally:
            process.kill()
            os.close(ours)
    return shown


def read_until(terminal, pattern, seconds=60):
    """Return what a terminal shows until that matches a pattern, or until time is over."""
    import select  # noqa: PLC0415  as above

    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not re.search(pattern, shown):
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
