"""Cases for small files and texts that other programs, servers and runs leave: notes, logs, locks, answers, names."""

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzzing.mutations import chance, dump_json, mutate, mutate_json, random_bytes
from fuzzing.reading import Case, Reader
from w2v_cli.config import resolve
from w2v_cli.config.schema import OutputSettings
from w2v_cli.corpus import find, urls
from w2v_cli.datasets import download, registry
from w2v_cli.datasets.download import PartialFile
from w2v_cli.pipeline.run_log import RunLog, check_log
from w2v_cli.system import locks, machine

_URL = "https://example.org/file.txt"
_NOTE = {"url": _URL, "validator": '"abc"'}
_LOG = {"schema": 1, "event": "start", "time": "2026-01-01T00:00:00+00:00", "seconds": 0.0, "config": {}}


def _make_note(rng: random.Random) -> Case:
    data = dump_json(rng, mutate_json(rng, _NOTE) if chance(rng, 0.8) else _NOTE)
    return Case(data if chance(rng, 0.7) else mutate(rng, data))


def _read_note(case: Case, folder: Path) -> None:
    """Ask what of an interrupted download is here; its headers are such that a request takes them."""
    from requests.utils import check_header_validity  # noqa: PLC0415  heavy

    part, note = folder / "file.part", folder / "file.part.json"
    part.write_bytes(b"abc")
    note.write_bytes(case.data)
    try:
        offset, headers = PartialFile(part).resume(_URL)
    finally:
        part.unlink()
        note.unlink()
    assert offset in (0, 3)  # noqa: S101  a finding
    for header in headers.items():
        check_header_validity(header)
        header[1].encode("latin-1")


def _make_log(rng: random.Random) -> Case:
    line = dump_json(rng, mutate_json(rng, _LOG) if chance(rng, 0.6) else _LOG)
    data = line + rng.choice((b"\n", b"", b"\n" + line[:20], b"\n" + line + b"\n"))
    data = random_bytes(rng) if chance(rng, 0.1) else data if chance(rng, 0.4) else mutate(rng, data)
    return Case(data, {"is_resumed": chance(rng, 0.7)})


def _read_log(case: Case, folder: Path) -> None:
    """Go on with a log, or replace it: then it ends with a whole line of ours, and a refused file is as it was."""
    path = folder / "run.jsonl"
    path.write_bytes(case.data)
    is_resumed = case.settings["is_resumed"]
    try:
        check_log(
            OutputSettings(path=str(folder / "x"), log=str(path), overwrite=not is_resumed), is_resumed=is_resumed
        )
        with RunLog(path, is_resumed=is_resumed) as log:
            log.write({"event": "end", "outcome": "fuzzed"})
        assert json.loads(path.read_bytes().split(b"\n")[-2])["event"] == "end"  # noqa: S101
    except resolve.ConfigError:
        assert path.read_bytes() == case.data  # noqa: S101
        raise
    finally:
        path.unlink()


def _make_lock(rng: random.Random) -> Case:
    return Case(mutate(rng, b"process 123 on host"))


def _read_lock(case: Case, folder: Path) -> None:
    """Ask for an output that another run holds, which left any bytes in its lock."""
    import fcntl  # noqa: PLC0415  there is none on Windows

    output = folder / "w2v.safetensors"
    path = locks.lock_path(output)
    path.write_bytes(case.data)
    try:
        with path.open("rb") as file, contextlib.ExitStack() as held:
            fcntl.flock(file, fcntl.LOCK_EX)
            held.enter_context(locks.hold(output))
    finally:
        path.unlink(missing_ok=True)


_HEADERS = {
    "Content-Range": "bytes 10-99/100",
    "Content-Length": "90",
    "ETag": '"abc"',
    "Last-Modified": "Sat, 01 Jan 2000 00:00:00 GMT",
    "Location": "https://example.org/other",
}


def _make_reply(rng: random.Random) -> Case:
    """Draw what a server may answer: a status and headers, which are Latin-1 without line ends."""
    headers = {
        name: mutate(rng, text.encode()) if chance(rng, 0.5) else text.encode() for name, text in _HEADERS.items()
    }
    texts = {
        name: text.decode("latin-1").replace("\n", " ").replace("\r", " ")[:60_000] for name, text in headers.items()
    }
    return Case(
        json.dumps(texts).encode(), {"status": rng.choice((200, 206, 206, 301, 404, 416, 429, 500, 503, 0, 999))}
    )


def _read_reply(case: Case, _: Path) -> None:
    """Understand the answer."""
    headers: dict[str, Any] = json.loads(case.data)
    download.read_reply(case.settings["status"], headers["Content-Range"], 10)
    download.validator(headers)
    total = download.total_bytes(headers, 10)
    assert total is None or total >= 10  # noqa: PLR2004, S101
    assert download.redirect_target(_URL, headers["Location"]).lower().startswith("https:")  # noqa: S101


_SYSTEM_FILES = {
    "proc/self/status": b"VmSize:\t 1000 kB\nVmData:\t 500 kB\nRssAnon:\t 300 kB\n",
    "proc/self/cgroup": b"0::/user/x\n5:cpu,memory:/y\n",
    "proc/meminfo": b"MemTotal: 1000 kB\nMemAvailable: 900 kB\nSwapFree: 0 kB\n",
    "sys/fs/cgroup/user/x/memory.max": b"1000000\n",
    "sys/fs/cgroup/user/x/memory.current": b"500\n",
    "sys/fs/cgroup/user/x/memory.stat": b"anon 5\ninactive_file 4096\n",
}


def _make_limits(rng: random.Random) -> Case:
    data = mutate(rng, rng.choice(list(_SYSTEM_FILES.values())))[:5000]
    return Case(data, {"file": rng.choice(list(_SYSTEM_FILES))})


def _read_limits(case: Case, folder: Path) -> None:
    """Read the limits of memory where the system tells something odd."""
    for name, content in _SYSTEM_FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.data if name == case.settings["file"] else content)
    try:
        assert all(limit.available >= 0 for limit in machine.read_limits(folder))  # noqa: S101
        assert machine.anonymous_bytes(folder) >= 0  # noqa: S101
    finally:
        import shutil  # noqa: PLC0415  beside its only use

        for name in ("proc", "sys"):
            shutil.rmtree(folder / name)


_TYPED = (
    *(
        "demo",
        "ptb",
        "wordsim353",
        "book-cbow",
        "./demo",
        "*.txt",
        "**",
        "[",
        "[!",
        "{a,b}",
        "~",
        "a//b",
        "-",
        "x",
        "é",
    ),
    *(
        "https://example.org/a.txt",
        "http://[::1",
        "s3://a/b",
        "file:///x",
        "x::y://z",
        "memory://a",
        "http://a@b:c/d?e",
    ),
    *("C:\\x", "\ud800", "a" * 99, "a/" * 50, "\x1b[2J", "a\nb", "http://[x]y/z", "http://\u2100/", "h://\uff03"),
)
_LOOK_UPS: dict[str, Callable[[str, Path], object]] = {
    "corpus": find.find_corpus,
    "config": lambda text, _: resolve.find_config_file(text),
    "dataset": lambda text, _: registry.find(text),
    "url": lambda text, _: urls.redact_url(text) if urls.is_url(text) else None,
    "system": lambda text, _: urls.find_urls(text),
}


def _make_name(rng: random.Random) -> Case:
    """Draw what a user may type where a name is asked for; a short one, for the message shows it."""
    data = rng.choice(_TYPED).encode("utf-8", "surrogatepass")
    return Case(mutate(rng, data)[:120] if chance(rng, 0.9) else data, {"ask": rng.choice(list(_LOOK_UPS))})


def _read_name(case: Case, folder: Path) -> None:
    """Look a name up, in no network and nowhere outside the folder."""
    text = case.data.decode("utf-8", "surrogateescape").replace("\0", "")
    if not text or text.startswith(("/", "~")) or ".." in text:
        return
    if case.settings["ask"] == "system" and (not urls.is_url(text) or not text.startswith(("memory:", "x", "h:"))):
        return
    if case.settings["ask"] == "corpus" and (urls.is_url(text) or text == "demo"):
        return
    _LOOK_UPS[case.settings["ask"]](text, folder)


READERS = (
    Reader("note", _make_note, _read_note),
    Reader("log", _make_log, _read_log),
    Reader("lock", _make_lock, _read_lock),
    Reader("reply", _make_reply, _read_reply),
    Reader("limits", _make_limits, _read_limits),
    Reader("name", _make_name, _read_name),
)
