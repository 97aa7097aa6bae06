"""Endless lines and endless tokens: trained on, skipped and counted, in bounded memory (faults 16 and 21)."""

import re
import subprocess
import sys

import pytest

from cli.running import FAST, TEXT, make_program

_MEGABYTE = 1 << 20
# Sends a text, so many times something, and the text again.
_SEND = (
    "import sys; out = sys.stdout.buffer; "
    "out.write({0!r}); [out.write({1}) for n in range({2})]; out.write(b'\\n' + {0!r})"
)
_TELL_MEMORY = """
import atexit, re
def tell(): print("data:", re.search("VmData:.*?([0-9]+)", open("/proc/self/status").read())[1], flush=True)
atexit.register(tell)
"""
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited as in Linux: NOT run")


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """Return a function that runs the program with 320 MB more than a training on the text alone takes."""
    import resource  # noqa: PLC0415  there is none on Windows

    program = make_program(tmp_path_factory.mktemp("huge"))
    program.write("text.txt", TEXT)
    done = program.run("train", "text.txt", *FAST, first=_TELL_MEMORY)
    most = int(done.stdout.split()[-1]) * 1024 + 320 * _MEGABYTE

    def train(part, times, *options):
        """Return what a training says on a text with much in its middle, sent through stdin."""
        send = [sys.executable, "-c", _SEND.format(TEXT.encode(), part, times)]
        with subprocess.Popen(send, stdout=subprocess.PIPE) as sender:
            limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (most, most))  # noqa: E731  in the child
            arguments = ("train", "-", *FAST, *options, "--overwrite")
            done = program.run(*arguments, stdin=sender.stdout, preexec_fn=limit)
        assert done.returncode == 0, done.stderr
        return done.stderr

    return train


@pytest.mark.fault(21)
def test_an_endless_token_is_skipped(limited):
    """Four hundred megabytes without a space are counted and forgotten; the text around them is trained on."""
    said = limited("b'x' * 1048576", 400, "--set", "corpus.tokens=whitespace")

    assert "holds stretches longer than 100,000 bytes without a space: 1 were skipped, 419,430,400 bytes in all" in said
    assert "1 token too long (419,430,400 bytes)" in said
    assert "Read 1,620 words" in said


@pytest.mark.fault(16)
def test_an_endless_line_is_trained_on(limited):
    """A line of two million different words is read like any other, in pieces, and what is rare in it forgotten."""
    part = "b''.join(b'w%d ' % number for number in range(100_000 * n, 100_000 * (n + 1)))"
    said = limited(part, 20, "--set", "corpus.max_vocab=100000")

    assert "Read 2,001,620 words" in said
    assert "Vocabulary: 18 words (0.1 % of the text)" in said
    dropped = re.findall(r"([\d,]+) (?:rarer than [\d,]+ dropped|occurrences of [\d,]+ words over max_vocab)", said)
    assert sum(int(number.replace(",", "")) for number in dropped) == 2_000_000
