"""Suggestions for mistyped words: how many typos are put right, and how long one takes, beside those of another commit.

    python benchmarks/spelling.py [--against f4af48d]

The words are those of the built-in text, by falling frequency. Of 49 of them, at even steps of the logarithm of the
rank, four typos each are made: two letters transposed, one left out, one doubled, one replaced by its neighbour on the
keyboard.
"""

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from w2v_cli.datasets.demo import write_demo_text
from w2v_cli.vectors import spelling

MIN_COUNT, SHORTEST = 5, 5  # occurrences of a word, letters of one that is mistyped
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def main() -> None:
    """Print a line for this tree, and one for the other commit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--against", metavar="COMMIT", help="a commit that has src/w2v_cli/spelling.py, such as f4af48d"
    )
    commit = parser.parse_args().against
    words = frequent_words(Path("build/spelling"))
    typos = list(iterate_typos(words, random.Random(1)))  # noqa: S311  nothing is secret
    report("this tree", spelling, words, typos)
    if commit:
        report(commit, old_module(commit), words, typos)


def frequent_words(folder: Path) -> list[str]:
    """Return the words that occur five times or more in the built-in text, the most frequent first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "demo.txt"
    if not path.exists():
        write_demo_text(path)
    counts = Counter(path.read_text(encoding="utf-8").lower().split())
    kept = [word for word, count in counts.items() if count >= MIN_COUNT and word.isalpha()]
    return sorted(kept, key=lambda word: (-counts[word], word))


def iterate_typos(words: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield 196 pairs of a typo, which is no word itself, and the word that was meant."""
    known = set(words)
    long = [word for word in words if len(word) >= SHORTEST]
    for rank in np.geomspace(1, len(long) - 1, 49).round().astype(int).tolist():
        for slip in (transpose, omit, double, replace):
            word = long[rank]
            slips = (slip(word, rng) for _ in range(100))
            yield next(typo for typo in slips if typo not in known), word


def transpose(word: str, rng: random.Random) -> str:
    """Return `word` with two adjacent letters swapped."""
    at = rng.randrange(len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def omit(word: str, rng: random.Random) -> str:
    """Return `word` without one letter."""
    at = rng.randrange(len(word))
    return word[:at] + word[at + 1 :]


def double(word: str, rng: random.Random) -> str:
    """Return `word` with one letter twice."""
    at = rng.randrange(len(word))
    return word[:at] + word[at] + word[at:]


def replace(word: str, rng: random.Random) -> str:
    """Return `word` with one letter replaced by its neighbour on the keyboard."""
    at = rng.randrange(len(word))
    row = next((row for row in KEYBOARD if word[at] in row), "xy")
    key = row.find(word[at])
    return word[:at] + row[key + 1 if key + 1 < len(row) else key - 1] + word[at + 1 :]


def old_module(commit: str) -> ModuleType:
    """Return the module of spelling at a commit."""
    command = ["git", "show", f"{commit}:src/w2v_cli/spelling.py"]
    source = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603  a commit of ours
    module = ModuleType("old_spelling")
    exec(compile(source, command[-1], "exec"), module.__dict__)  # noqa: S102  our own history
    return module


def report(name: str, module: ModuleType, words: Sequence[str], typos: Sequence[tuple[str, str]]) -> None:
    """Print how many typos are put right, the CPU time of the first suggestion (with preparation) and of another."""
    began = time.process_time()
    speller = module.Speller(words)
    speller.near("frist", 3)
    ready = time.process_time()
    found = [speller.near(typo, 3) for typo, _ in typos]
    one = (time.process_time() - ready) / len(typos)
    first = sum(near[:1] == [word] for near, (_, word) in zip(found, typos, strict=True))
    among = sum(word in near for near, (_, word) in zip(found, typos, strict=True))
    sys.stdout.write(f"{name}: {first} of {len(typos)} typos right first, {among} among 3; CPU time ")
    sys.stdout.write(f"{1000 * (ready - began):.0f} ms for the first, {1000 * one:.1f} ms for another\n")


if __name__ == "__main__":
    main()
