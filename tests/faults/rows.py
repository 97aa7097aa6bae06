"""The faults that w2v survives, by number: what happens, and what is to come of it. Tests name theirs by `fault(n)`.

`python tests/faults/rows.py` shows the tests of each.
"""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

ROWS = {
    1: "kill -9 in training: the last snapshot loads, and --resume goes on from it",
    2: "kill -9 at any instant of writing a snapshot: the old one or the new one is there, whole",
    3: "power cut after a rename: file, name and folder were synced in that order",
    4: "full disk (ENOSPC): exit 6, the old file kept, the temporary one removed",
    5: "limit of a file's size (EFBIG): the same",
    6: "truncated vectors or snapshot: exit 4",
    7: "a flipped bit anywhere in vectors or snapshot: exit 4",
    8: "a newer format: exit 4, both versions named",
    9: "sizes that contradict each other, NaN, infinity: exit 4",
    10: "a pickle as model: exit 4, nothing in it is run",
    11: "a crafted header or shape: exit 4 before anything is allocated",
    12: "resuming with another corpus or config: exit 2 with the difference",
    13: "a text without words: exit 3",
    14: "a text of one word: exit 3",
    15: "a text of rare words only: exit 3 with the largest count",
    16: "an endless line: trained on in bounded memory",
    17: "bytes that are no UTF-8: replaced with a warning, or exit 3 with their place",
    18: "NUL bytes: ordinary ones, with a warning where there are many",
    19: "line ends of Windows: as those of Unix",
    20: "a byte order mark: dropped; of UTF-16: exit 3",
    21: "an endless word: skipped and counted",
    22: "a text that changes while it is read: exit 3",
    23: "a text or a folder of texts that is not there: exit 3, named",
    24: "a damaged compressed text: exit 3 with the place",
    25: "a zip bomb: exit 3 in bounded memory",
    26: "an archive with members that lead elsewhere: refused, nothing unpacked",
    27: "a setting that is negative, zero, NaN or infinite: exit 2 with value and range",
    28: "an unknown key of a config: exit 2 with its place and the likely one",
    29: "a key given twice: exit 2 with both lines",
    30: "wrong types, syntax, aliases and tags in a config: exit 2, all at once",
    31: "an output folder that is missing or refuses files: exit 6 before training",
    32: "no network, no name, no answer: tried again, then exit 5",
    33: "a server's failure: 500 tried again, 404 not, exit 5",
    34: "a download of other bytes: exit 5 with both hashes, nothing installed",
    35: "a redirect: followed; from https to http: exit 5",
    36: "a download that breaks off, or is killed: goes on where it was",
    37: "two trainings of one output: the second stops with exit 8, naming the first",
    38: "SIGINT, SIGTERM, SIGHUP: saved, then exit 128 + n; at once when asked twice",
    39: "a word that is not in the vocabulary: exit 7 with those like it",
    40: "a closed pipe: exit 141 without a word",
    41: "a full disk behind stdout: exit 6",
    42: "no terminal, a dumb or a narrow one, NO_COLOR: plain and whole",
    43: "too little memory, or no more threads: exit 6 in one line",
    44: "a training that diverges: exit 1, the last good snapshot kept",
    45: "a worker of a distributed training killed: its shard is trained again",
    46: "a GPU or an extra that is not there: exit 9 with the command that installs it",
    47: "compiled code that cannot be kept: a temporary folder, with a warning",
    48: "a locale or file names that are no UTF-8: work all the same",
    49: "an output that exists: exit 2 before training, both ways out named",
}
# Rows that no test produces, and why.
NOT_PRODUCED: dict[int, str] = {}
# Rows whose tests show less than the row says, and why no test can show more.
IN_PART = {
    3: "no test can cut the power: that what was synced stays is the disk's affair, its order is ours and tested",
    26: "w2v unpacks no archives at all, which is what the tests show",
    46: "on a machine with a GPU that works, that there is none is played: CuPy or its device is taken away",
}


def named_by_row():
    """Return {row: [file::test]} of the tests that are marked, found in their source without importing it."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for row in _rows_of(node):
                    found.setdefault(row, []).append(f"{path.relative_to(TESTS).as_posix()}::{node.name}")
    return found


def _rows_of(function):
    """Return the numbers in a function's `@pytest.mark.fault(…)`."""
    marks = [
        decorator
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault"
    ]
    return [argument.value for mark in marks for argument in mark.args]


if __name__ == "__main__":
    tests = named_by_row()
    for row, title in ROWS.items():
        print(f"{row}. {title}", *tests.get(row, [NOT_PRODUCED.get(row)]), sep="\n     ")  # noqa: T201  a script
