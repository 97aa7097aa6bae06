"""Give random and mutated bytes to everything of w2v that reads bytes, and see whether anything but our errors comes.

    python benchmarks/fuzz.py [--seconds 3600 | --cases N] [--seed 1] [--reader NAME …] [--keep DIR]

Each case ends with a value, or with an error of ours in one short line. Findings are: any other exception or warning,
a hang (10 s of CPU time), a crash, memory beyond a bound, a file left behind, code having run from a pickle. Cases run
in a child process one after the other, the readers in turns. A case depends on its reader, the seed and its number
alone: `--reader pickle --seed 1 --only 4711` repeats one, and shows its traceback. One JSON object is printed; the exit
code is 1 where something was found. `tests/faults/test_fuzz.py` is the short form.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fuzzing import configs, foreign, notes, pickles, snapshots, tensors, texts
from fuzzing.reading import READ, Reader
from fuzzing.workers import Finding, Tally, case_of, run_cases

from w2v_cli.errors import W2vError

READERS = {
    reader.name: reader
    for module in (texts, configs, tensors, snapshots, pickles, notes, foreign)
    for reader in module.READERS
}
_SHARES = {
    "lock": 0.2,
    "limits": 0.2,
    "reply": 0.4,
    "name": 0.4,
    "note": 0.4,
    "log": 0.4,
    "corpus": 2.0,
    "snapshot": 2.0,
}
_TURN_SECONDS = 10.0
_MOST_SHOWN = 40  # findings of a kind are told once, with their number


def main() -> int:
    """Do it and print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=None, metavar="S", help="How long, over all readers. [60]")
    parser.add_argument(
        "--cases", type=int, default=None, metavar="N", help="How many of each reader, in place of that."
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="Start of the random draws. [1]")
    parser.add_argument(
        "--reader", action="append", choices=list(READERS), metavar="NAME", help=f"[{' '.join(READERS)}]"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="Folder for the bytes of what is found. [none]")
    parser.add_argument("--only", type=int, metavar="N", help="Run this case alone, in this process.")
    arguments = parser.parse_args()
    readers = [READERS[name] for name in arguments.reader or READERS]
    if arguments.only is not None:
        return _run_one(readers[0], arguments.seed, arguments.only, arguments.keep)
    tallies = _hunt(readers, arguments)
    print(json.dumps({"seed": arguments.seed, "readers": {name: _told(tally) for name, tally in tallies.items()}}))
    return 1 if any(tally.findings for tally in tallies.values()) else 0


def _hunt(readers: list[Reader], arguments: argparse.Namespace) -> dict[str, Tally]:
    """Run the cases of the readers in turns until the time is over, or each has had its number."""
    tallies = {reader.name: Tally() for reader in readers}
    next_cases = dict.fromkeys(tallies, 0)
    for reader in readers:
        reader.prepare()
    most = arguments.cases if arguments.cases is not None else 1 << 60
    end = time.monotonic() + (arguments.seconds or (60.0 if arguments.cases is None else 1e9))
    while time.monotonic() < end and any(number < most for number in next_cases.values()):
        turn = min(_TURN_SECONDS, max(0.5, (end - time.monotonic()) / len(readers)))
        for reader in readers:
            deadline = min(end, time.monotonic() + turn * _SHARES.get(reader.name, 1.0))
            first, known = next_cases[reader.name], len(tallies[reader.name].findings)
            next_cases[reader.name] = run_cases(
                reader, arguments.seed, first, most, tallies[reader.name], deadline=deadline
            )
            for finding in tallies[reader.name].findings[known:]:
                _report(reader, arguments.seed, finding, tallies[reader.name], arguments.keep)
    return tallies


def _report(reader: Reader, seed: int, finding: Finding, tally: Tally, keep: Path | None) -> None:
    """Tell of a finding as it comes, the first times of its kind, and keep its bytes."""
    earlier = tally.findings[: tally.findings.index(finding)]  # a turn may have found many, told one after the other
    if sum(_kind(other) == _kind(finding) for other in earlier) >= _MOST_SHOWN:
        return
    print(f"{reader.name} {seed} {finding.number}: {finding.fault}", file=sys.stderr, flush=True)
    if keep is not None:
        _keep(reader, seed, finding.number, keep)


def _keep(reader: Reader, seed: int, number: int, folder: Path) -> None:
    """Write a case's bytes, and how they are to be read, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    case = case_of(reader, seed, number)
    (folder / f"{reader.name}-{seed}-{number}.bin").write_bytes(case.data)
    (folder / f"{reader.name}-{seed}-{number}.json").write_text(json.dumps(case.settings), encoding="utf-8")


def _told(tally: Tally) -> dict[str, Any]:
    """Return a tally JSON-able; of findings that are alike, the first one and how many there were."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in tally.findings:
        kinds.setdefault(_kind(finding), []).append(finding)
    return {
        "cases": tally.cases,
        "cpu_seconds": round(tally.cpu_seconds, 1),
        "outcomes": dict(tally.outcomes.most_common()),
        "slowest": {"seconds": round(tally.slowest_seconds, 3), "case": tally.slowest_case},
        "findings": [
            {"case": alike[0].number, "times": len(alike), **vars(alike[0].fault)} for alike in kinds.values()
        ],
    }


def _kind(finding: Finding) -> tuple[str, str]:
    return finding.fault.kind, finding.fault.where.partition(" < ")[0]


def _run_one(reader: Reader, seed: int, number: int, keep: Path | None) -> int:
    """Run one case without any net."""
    import tempfile  # noqa: PLC0415  beside its only use

    if keep is not None:
        _keep(reader, seed, number, keep)
    with tempfile.TemporaryDirectory() as folder:
        reader.prepare()
        began, outcome = time.process_time(), READ
        try:
            reader.read(case_of(reader, seed, number), Path(folder))
        except W2vError as error:
            outcome = f"{type(error).__name__}: {error}"
    print(json.dumps({"case": number, "outcome": outcome, "seconds": round(time.process_time() - began, 3)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
