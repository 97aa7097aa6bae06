"""Cases run in a forked child under limits, watched by its parent: a hang or a crash is seen, and is that case's."""

import faulthandler
import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from fuzzing.reading import KINDS, READ, Case, Fault, Reader, Watch, judge

HANG_SECONDS = 10.0  # of CPU time that a case may take
_MOST_POLLS = 6000  # that find it at the same case: some minutes, in which nobody has stopped both processes
_MORE_ADDRESSES = 6 << 30  # than the process has in the beginning: a stop for what grows all at once
_POLL_SECONDS = 0.05
# The case, its start in CPU seconds; the slowest case's seconds, and that case.
_STATE = struct.Struct("qddq")
_FINDING = "finding"
_MEMORY_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  where no disk is waited for
_OUTCOMES = (READ, *(kind.__name__ for kind in KINDS), _FINDING)
_COUNTS = struct.Struct(f"{len(_OUTCOMES)}q")
_GROWN = 3  # the exit code of a child that has taken too much memory
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Finding:
    """A case that ended as none may."""

    number: int
    fault: Fault


@dataclass
class Tally:
    """What came of the cases of a reader: how many there were of each outcome, and the findings."""

    cpu_seconds: float = 0.0
    slowest_seconds: float = 0.0
    slowest_case: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """The number of cases."""
        return self.outcomes.total()


def case_of(reader: Reader, seed: int, number: int) -> Case:
    """Return a case, which depends on nothing else."""
    return reader.make(random.Random(f"{reader.name} {seed} {number}"))  # noqa: S311  no secret


def run_cases(reader: Reader, seed: int, first: int, last: int, tally: Tally, *, deadline: float) -> int:
    """Run cases from `first` until before `last` or the deadline (time.monotonic); return the next one's number.

    A child that was ended by a case is followed by another.
    """
    began = _children_seconds()
    while first < last and time.monotonic() < deadline:
        first = _run_child(reader, seed, range(first, last), tally, deadline)
    tally.cpu_seconds += _children_seconds() - began
    return first


def _run_child(reader: Reader, seed: int, numbers: range, tally: Tally, deadline: float) -> int:
    """Run cases in a child until all are done or one has ended it; return the next one's number."""
    with (
        tempfile.TemporaryDirectory(prefix="w2v-fuzz-", dir=_MEMORY_FOLDER) as name,
        mmap.mmap(-1, mmap.PAGESIZE) as shared,
    ):
        folder = Path(name)
        (folder / "cases").mkdir()
        (folder / "findings").touch()
        (folder / "traces").touch()
        _STATE.pack_into(shared, 0, numbers.start, 0.0, 0.0, numbers.start)
        sys.stdout.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_child(reader, seed, numbers, folder, shared, deadline, parent)
        fault = _watch(pid, shared, folder)
        number, _, slowest, slowest_case = _STATE.unpack_from(shared)
        counts = _COUNTS.unpack_from(shared, _STATE.size)
        tally.outcomes.update({name: count for name, count in zip(_OUTCOMES, counts, strict=True) if count})
        for line in (folder / "findings").read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            tally.findings.append(Finding(told["number"], Fault(**told["fault"])))
        if slowest > tally.slowest_seconds:
            tally.slowest_seconds, tally.slowest_case = slowest, slowest_case
        if fault is not None:
            tally.outcomes[_FINDING] += 1
            tally.findings.append(Finding(number, fault))
        return int(number) + (fault is not None)


def _watch(pid: int, shared: mmap.mmap, folder: Path) -> Fault | None:
    """Return what ended the child, None where it came to its end; end one that hangs."""
    polls, last = 0, -1
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return _fault_of(os.waitstatus_to_exitcode(status), folder)
        number, cpu, *_ = _STATE.unpack_from(shared)
        cpu_seconds, polls, last = _cpu_seconds(pid) - cpu, polls + 1 if number == last else 0, number
        if cpu_seconds > HANG_SECONDS or polls > _MOST_POLLS:
            os.kill(pid, signal.SIGUSR1)  # tell where it is
            time.sleep(0.5)
            if _STATE.unpack_from(shared)[0] == number:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return Fault("hang", f"{cpu_seconds:.0f} s of CPU time", _frames(folder))
        time.sleep(_POLL_SECONDS)


def _fault_of(code: int, folder: Path) -> Fault | None:
    if code == 0:
        return None
    if code == _GROWN:
        return Fault("memory", "the process has grown beyond its bound", "")
    if code < 0:
        return Fault("crash", signal.Signals(-code).name, _frames(folder))
    return Fault("exit", str(code), _frames(folder))


def _frames(folder: Path) -> str:
    """Return the first lines that faulthandler wrote."""
    lines = (folder / "traces").read_text(encoding="utf-8", errors="replace").splitlines()
    frames = [line.strip() for line in lines if line.strip().startswith("File")]
    own = [line for line in frames if "w2v_cli" in line]
    shown = [line.rpartition("/")[2].replace('", line ', ":") for line in (frames[:1] + own)[:6]]
    return " < ".join(shown)


def _children_seconds() -> float:
    """Return the CPU time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, 0 where it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _be_child(
    reader: Reader, seed: int, numbers: range, folder: Path, shared: mmap.mmap, deadline: float, parent: int
) -> None:
    """Run the cases and leave the process, whatever happens."""
    code = 1
    try:
        code = _work(reader, seed, numbers, folder, shared, deadline, parent)
    except BaseException:  # noqa: BLE001  nothing may come out of here into the parent's code
        with (folder / "traces").open("a", encoding="utf-8") as traces:
            traceback.print_exc(file=traces)
        traceback.print_exc()
    finally:
        os._exit(code)


def _work(
    reader: Reader, seed: int, numbers: range, folder: Path, shared: mmap.mmap, deadline: float, parent: int
) -> int:
    """Run the cases one after the other, telling the parent of each; return the exit code."""
    warnings.simplefilter("error")
    os.chdir(folder / "cases")
    watch, counts = Watch(), [0] * len(_OUTCOMES)
    slowest, slowest_case = 0.0, numbers.start
    with (folder / "traces").open("w") as traces, (folder / "findings").open("w", encoding="utf-8") as findings:
        faulthandler.enable(traces)
        faulthandler.register(signal.SIGUSR1, traces)
        _limit_addresses()
        most = _peak_bytes() + reader.memory_bytes
        for number in numbers:
            if os.getppid() != parent:  # it was killed
                return 0
            cpu = time.process_time()
            _STATE.pack_into(shared, 0, number, cpu, slowest, slowest_case)
            if time.monotonic() >= deadline:  # the next turn begins with this case
                return 0
            outcome = judge(reader, case_of(reader, seed, number), folder / "cases", watch)
            if _peak_bytes() > most:
                return _GROWN
            if isinstance(outcome, Fault):
                findings.write(json.dumps({"number": number, "fault": vars(outcome)}) + "\n")
                findings.flush()
            counts[_OUTCOMES.index(_FINDING if isinstance(outcome, Fault) else outcome)] += 1
            if time.process_time() - cpu > slowest:
                slowest, slowest_case = time.process_time() - cpu, number
            _COUNTS.pack_into(shared, _STATE.size, *counts)
        _STATE.pack_into(shared, 0, numbers.stop, time.process_time(), slowest, slowest_case)
    return 0


def _limit_addresses() -> None:
    """Let the process have a bounded number of addresses, and write no core where it crashes."""
    size = int(Path("/proc/self/statm").read_bytes().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + _MORE_ADDRESSES, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak_bytes() -> int:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
