"""Time of a round on a cluster behind a slow network, against the cost model of docs/explanation/cluster-cost.md.

    python benchmarks/cluster_cost.py TEXT [--workers 2] [--dim 100] [--milliseconds 0,20] [--megabits 0,400]
        [--sync-words 20000,100000]

A scheduler and workers are started on 127.0.0.1, each worker behind a proxy of its own that delays what goes through by
so many milliseconds each way and lets through so many megabits a second (0: all). For each sync period the text is
trained on for one epoch, and the seconds of a round are taken from the log, the first round left out. What is printed
is a JSON object a line, with the bytes that went through the proxies in a round.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SETTINGS = (
    "--epochs",
    "1",
    "--quiet",
    "--overwrite",
    "--snapshot-every",
    "never",
    "--set",
    "corpus.tokens=whitespace",
)
_BLOCK = 1 << 16


@dataclass
class Proxy:
    """Carries bytes between 127.0.0.1:port and 127.0.0.1:target; one line of so many bytes a second each way."""

    port: int
    target: int
    delay: float
    bytes_per_second: float
    carried: int = 0
    _free: dict[str, float] = field(default_factory=dict)

    async def serve(self) -> None:
        """Wait for connections."""
        await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self._carry("to", reader, there_writer), self._carry("from", there_reader, writer))

    async def _carry(self, way: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        sending = asyncio.create_task(self._send(queue, writer))
        with contextlib.suppress(OSError):
            while data := await reader.read(_BLOCK):
                now = time.monotonic()
                begin = max(self._free.get(way, now), now)
                self._free[way] = begin + (len(data) / self.bytes_per_second if self.bytes_per_second else 0)
                self.carried += len(data)
                await queue.put((self._free[way] + self.delay, data))
        await queue.put((0, b""))
        await sending

    async def _send(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while (item := await queue.get())[1]:
                await asyncio.sleep(max(item[0] - time.monotonic(), 0))
                writer.write(item[1])
                await writer.drain()
            writer.close()


@contextlib.contextmanager
def proxies(ports: list[tuple[int, int]], delay: float, bytes_per_second: float) -> Iterator[list[Proxy]]:
    """Yield proxies in a thread, from the first of each pair of ports to the second."""
    loop, found = asyncio.new_event_loop(), [Proxy(*pair, delay, bytes_per_second) for pair in ports]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    for proxy in found:
        asyncio.run_coroutine_threadsafe(proxy.serve(), loop).result()
    yield found
    asyncio.run_coroutine_threadsafe(_end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)


async def _end() -> None:
    """End all that a loop is at."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def cluster(workers: int, ports: list[tuple[int, int]], folder: Path) -> Iterator[str]:
    """Yield the URL of a scheduler with workers that can be reached by the first of each pair of ports."""
    file = folder / "scheduler.json"
    dask = (sys.executable, "-m", "dask")
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> None:
            process = subprocess.Popen([*dask, *arguments], cwd=folder, stderr=subprocess.DEVNULL)  # noqa: S603  ours
            stack.callback(process.kill)

        file.unlink(missing_ok=True)
        start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        url = str(json.loads(file.read_text())["address"])
        for public, own in ports[:workers]:
            addresses = ("--listen-address", f"tcp://127.0.0.1:{own}", "--contact-address", f"tcp://127.0.0.1:{public}")
            start("worker", url, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--memory-limit", "0", *addresses)
        yield url


def measure(url: str, text: Path, folder: Path, dim: int, workers: int, sync_words: int) -> dict[str, Any]:
    """Train for an epoch; return what the log says of its rounds."""
    settings = (*_SETTINGS, "--dim", str(dim), "--cluster", url, "--log", "run.jsonl", "--output", "x.safetensors")
    rounds = ("--set", f"cluster.shards={workers}", "--set", f"cluster.sync_words={sync_words}")
    command = [sys.executable, "-m", "w2v_cli", "train", str(text.absolute()), *settings, *rounds]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  ourselves
    events = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    reports = [event for event in events if "round" in event]
    first, last = reports[0], reports[-1]
    corpus = next(event for event in events if event["event"] == "corpus")
    seconds = (last["seconds"] - first["seconds"]) / max(last["round"] - first["round"], 1)
    return {
        "rounds": last["rounds"],
        "seconds": seconds,
        "vocabulary": corpus["vocabulary"],
        "words": corpus["kept_words"],
    }


def main() -> None:
    """Do it for all that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--milliseconds", default="0,20")
    parser.add_argument("--megabits", default="0,400")
    parser.add_argument("--sync-words", default="20000,100000")
    arguments = parser.parse_args()
    delays, megabits = (
        [float(part) for part in text.split(",")] for text in (arguments.milliseconds, arguments.megabits)
    )
    ports = [(41000 + 2 * number, 41001 + 2 * number) for number in range(arguments.workers)]
    with tempfile.TemporaryDirectory() as name:
        for delay, speed in itertools.product(delays, megabits):
            with (
                proxies(ports, delay / 1000, speed * 125_000) as carriers,
                cluster(arguments.workers, ports, Path(name)) as url,
            ):
                ports = [(public + 100, own + 100) for public, own in ports]  # the others close in their own time
                for words in map(int, arguments.sync_words.split(",")):
                    before = sum(proxy.carried for proxy in carriers)
                    found = measure(url, arguments.text, Path(name), arguments.dim, arguments.workers, words)
                    carried = sum(proxy.carried for proxy in carriers) - before
                    found |= {"milliseconds": delay, "megabits": speed, "sync_words": words, "dim": arguments.dim}
                    found["bytes_a_round"] = round(carried / found["rounds"])
                    found["matrix_bytes"] = 4 * found["vocabulary"] * arguments.dim
                    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
