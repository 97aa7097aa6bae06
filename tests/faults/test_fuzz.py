"""The short form of benchmarks/fuzz.py, a minute in all: nothing but values and our errors, whatever bytes are read."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks and limits are those of Linux: NOT tried")

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
CASES = {
    "corpus": 1200,
    "evaluation": 3000,
    "yaml": 250,
    "table": 400,
    "vectors": 3000,
    "snapshot": 250,
    "pickle": 1200,
    "note": 4000,
    "log": 4000,
    "lock": 1500,
    "reply": 8000,
    "limits": 800,
    "name": 4000,
    "foreign": 3000,
}
NEVER_REFUSES = {"note", "limits"}
NEVER_READS = {"lock"}
# Reads a case of each kind of fault, with a sound one before and after; a hang is one after half a second.
PLANTED = """
import json, os, signal, sys, time, warnings
sys.path.insert(0, {folder!r})
from fuzzing import workers
from fuzzing.reading import Case, Reader
from w2v_cli.errors import CorpusError

def refuse(text):
    raise CorpusError(text)

def hang():
    while True:
        pass

FAULTS = {{
    "KeyError": lambda folder: {{}}["x"],
    "UserWarning": lambda folder: warnings.warn("odd"),
    "SystemExit": lambda folder: sys.exit(0),
    "message not of one line": lambda folder: refuse("two\\nlines"),
    "message too long": lambda folder: refuse("x" * 5000),
    "files left behind": lambda folder: (folder / "left").write_bytes(b""),
    "code ran": lambda folder: os.system("true"),
    "memory": lambda folder: bytearray(300 << 20),
    "MemoryError": lambda folder: bytearray(1 << 40),
    "hang": lambda folder: hang(),
    "crash": lambda folder: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda folder: os._exit(7),
}}
workers.HANG_SECONDS = 0.5
workers.case_of = lambda reader, seed, number: Case(bytes((number,)))
for kind, fault in FAULTS.items():
    reader = Reader("planted", None, lambda case, folder, fault=fault: fault(folder) if case.data == b"\\1" else None)
    tally = workers.Tally()
    workers.run_cases(reader, 1, 0, 3, tally, deadline=time.monotonic() + 60)
    print(json.dumps([kind, [[one.number, one.fault.kind] for one in tally.findings], tally.outcomes]))
"""


def fuzz(*arguments, first=""):
    """Run the script and return what it printed."""
    code = f"import sys; sys.argv = ['fuzz.py', *sys.argv[1:]]; sys.path.insert(0, {str(FOLDER)!r})\n{first}\n"
    code += "import fuzz; sys.exit(fuzz.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


@pytest.mark.parametrize("reader", CASES)
def test_a_reader_gives_a_value_or_one_of_our_errors(reader):
    """Thousands of damaged, crafted and random cases: no other exception, warning, hang, crash, growth, remains."""
    found, done = fuzz("--reader", reader, "--cases", CASES[reader], "--seed", 1)

    told = found["readers"][reader]
    assert told["findings"] == []
    assert done.returncode == 0
    assert told["cases"] == CASES[reader]
    assert (told["outcomes"].get("read", 0) > 0) == (reader not in NEVER_READS)
    assert (told["cases"] > told["outcomes"].get("read", 0)) == (reader not in NEVER_REFUSES)


def test_the_short_form_has_every_reader():
    """A new reader is in the table above."""
    done = subprocess.run([sys.executable, FOLDER / "fuzz.py", "--help"], capture_output=True, text=True, check=True)

    assert f"[{' '.join(CASES)}]" in " ".join(done.stdout.split())


def test_a_bug_in_a_reader_is_found_and_kept(tmp_path):
    """An exception that gets through is told with its case and place, the bytes are kept, and the exit code is 1."""
    bug = """
from w2v_cli.vectors import keyed_vectors
def check(path, tensors, metadata): tensors["vectors"], tensors["vocabulary.bytes"], tensors["vocabulary.offsets"]
keyed_vectors.check_tensors = check
"""

    found, done = fuzz("--reader", "vectors", "--cases", 600, "--keep", tmp_path, first=bug)

    [finding, *_] = [one for one in found["readers"]["vectors"]["findings"] if one["kind"] == "KeyError"]
    assert finding["where"].startswith("<string>:4 check")
    assert done.returncode == 1
    assert (tmp_path / f"vectors-1-{finding['case']}.bin").stat().st_size > 0


@pytest.mark.parametrize("reader", ["snapshot", "corpus", "pickle"])
def test_a_case_is_the_same_in_every_run(tmp_path, reader):
    """Reader, seed and number make the bytes, whatever Python's hashes are and whenever it is."""
    for name in ("a", "b"):
        subprocess.run(
            [sys.executable, FOLDER / "fuzz.py", "--reader", reader, "--only", "3", "--keep", tmp_path / name],
            env={"PYTHONHASHSEED": {"a": "1", "b": "2"}[name]},
            check=True,
        )

    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert len(first) == 2
    assert first == second


def test_every_kind_of_fault_is_seen():
    """Each is told of the case that it happened in, and the cases after it are run."""
    code = PLANTED.format(folder=str(FOLDER))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 12
    for kind, findings, outcomes in told:
        assert findings == [[1, kind]]
        assert outcomes == {"read": 2, "finding": 1}, kind
