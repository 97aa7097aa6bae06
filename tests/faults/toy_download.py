"""`w2v download toy`: a file that has BODY's hash, from the servers of a test, without the waiting between tries."""

from downloading import SHA256

TABLE = """
import os, sys
import w2v_cli.datasets.registry as d, w2v_cli.datasets.download as dl
os.environ["W2V_DATA_DIR"] = "data"
files = (d.DatasetFile("one.txt", {sha256!r}, {urls!r}),)
d.read_table = lambda: {{"toy": d.Dataset("toy", "A toy", "corpus", "free as air", "one.txt", files)}}
wait = lambda seconds: print("waited", seconds, file=sys.stderr, flush=True)
dl.fetch.__kwdefaults__.update(sleep=wait, timeout_seconds={timeout})
"""
BACKOFF = [1, 2, 4, 8]


def download(fork, *urls, more="", timeout=5):
    """Run the download of the file that has BODY's hash from these URLs."""
    first = TABLE.format(sha256=SHA256, urls=urls, timeout=timeout) + more
    return fork.run("download", "toy", "-q", first=first)


def left(fork):
    """Return the names of what the download has left in the data folder, but for the empty lock."""
    folder = fork.folder / "data" / "toy"
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def waits(done):
    """Return the seconds between the tries."""
    return [int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("waited ")]


def first_byte_of(asked):
    """Return where the range begins that a request with these headers asks for."""
    return int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
