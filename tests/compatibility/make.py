"""Writes the set of files of today's version: what later versions have to go on reading, and what they must answer.

    python tests/compatibility/make.py NAME         # at a release, its version; makes the folder NAME beside this file

Every file is written by `w2v` itself, in a folder of its own, from text.txt, which comes through stdin: so no file says
where that was. `expected.json` holds the answers of the version that wrote them. test_old_files.py reads all folders.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import w2v_cli

HERE = Path(__file__).parent
QUESTIONS = ("nation", "dead", "nation - war + people")
SMALL = ("--dim", "6", "--min-count", "1", "--subsample", "0", "--quiet")
NUMPY = ("--set", "training.backend=numpy")
ADAM = ("--algorithm", "minibatch", "--set", "training.optimizer=adam", "--learning-rate", "0.01", *NUMPY)
VECTORS = {"cbow": ("--epochs", "20", *NUMPY), "skipgram": ("--model", "skipgram", "--epochs", "10", *NUMPY)}
SNAPSHOTS = {
    "block": (*NUMPY, "--epochs", "8"),
    "adam": (*ADAM, "--epochs", "6"),
    "validated": (*ADAM, "--model", "skipgram", "--epochs", "6", "--validation", "0.2"),
    "deterministic": ("--deterministic", "--threads", "2", "--epochs", "8"),
}
EXPORTS = {
    "vectors.w2v.txt": (),
    "vectors.bin": (),
    "vectors.vec.gz": (),
    "vectors.glove.txt": (),
    "float16.npz": (),
    "int8.npz": ("--dtype", "int8"),
    "float32.safetensors": ("--dtype", "float32"),
    "int8.safetensors": ("--dtype", "int8"),
    "book.pkl": (),
    "projector": ("--format", "projector"),
    "vectors.fifu": (),
}
SHOWN = ("--config", "book-skipgram", "--epochs", "3", "--set", "training.batch_size=64", "--validation", "0.1")
PHRASES = ("--threshold", "5", "--min-count", "2", "--connectors", "english", "--passes", "2")


def main(name):
    """Make the folder `name`."""
    target = HERE / name
    target.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copyfile(HERE / "text.txt", folder / "text.txt")
        expected = {"vectors": make_vectors(folder), "snapshots": make_snapshots(folder)}
        expected |= {"exports": make_exports(folder), "configs": make_configs(folder), "logs": make_logs(folder)}
        w2v(folder, "phrases", "-", "-o", "joined.txt", "--list", "phrases.tsv", "--quiet", *PHRASES)
        expected["phrases"] = list(PHRASES)
        content = json.dumps(expected, ensure_ascii=False, indent=1)
        content = re.sub(r"\[[^][{}]*\]", lambda found: " ".join(found[0].split()), content)  # a list a line
        (folder / "expected.json").write_text(content + "\n", encoding="utf-8")
        check(folder)
        (folder / "text.txt").unlink()
        shutil.copytree(folder, target, dirs_exist_ok=True)


def w2v(folder, *arguments):
    """Run `w2v` in `folder` with the text as stdin, and return the JSON objects that it writes."""
    with (HERE / "text.txt").open("rb") as text:
        done = subprocess.run(
            [sys.executable, "-m", "w2v_cli", *arguments], cwd=folder, stdin=text, stdout=subprocess.PIPE, check=True
        )
    return [json.loads(line) for line in done.stdout.splitlines()] if "--json" in arguments else []


def answers(path):
    """Return what a vectors file says: its words, counts, rows and neighbours."""
    vectors = w2v_cli.load(path)
    found = {question: vectors.similar(question, top=5) for question in QUESTIONS}
    return {
        "words": list(vectors.words),
        "counts": None if vectors.counts is None else vectors.counts.tolist(),
        "rows": [" ".join(f"{number:.4g}" for number in row) for row in vectors.vectors],
        "neighbours": {
            question: [[one.word, round(one.score, 4)] for one in nearest] for question, nearest in found.items()
        },
    }


def make_vectors(folder):
    """Train, and return what is to be answered, by file."""
    (folder / "pairs.tsv").write_text("nation\tpeople\t7\nwar\tdead\t6\nliving\tdead\t3\n", encoding="utf-8")
    found = {}
    for name, settings in VECTORS.items():
        file = f"{name}.safetensors"
        never = ("--snapshot-every", "never", "--log", f"{name}.jsonl", "--evaluate", "pairs.tsv")
        w2v(folder, "train", "-", "-o", file, *SMALL, *settings, *never)
        found[file] = answers(folder / file)
        found[file]["epoch_losses"] = w2v_cli.load(folder / file).metadata["epoch_losses"]
    return found


def make_snapshots(folder):
    """Stop trainings, and return what they come to when they are not stopped, by the snapshot's output."""
    found = {}
    for name, settings in SNAPSHOTS.items():
        file = f"{name}.safetensors"
        more = ("--log", f"{name}.jsonl") if name == "validated" else ()
        w2v(folder, "train", "-", "-o", f"whole-{file}", *SMALL, *settings, *more)
        whole = folder / f"whole-{file}"
        found[file] = answers(whole) | digests(whole)
        w2v(folder, "train", "-", "-o", file, *SMALL, *settings, "--time-limit", "1s")  # reading takes as long
        if not w2v_cli.load(folder / file).metadata.get("stopped_early"):
            raise SystemExit(f"{file}: the training ended before it was stopped; give it more epochs")
        (folder / file).unlink()
        for path in (whole, folder / f"whole-{file}.snapshot"):
            path.unlink()
    return found


def digests(path):
    """Return the SHA-256 of a vectors file and of its rows alone, and the version that it names."""
    vectors = w2v_cli.load(path)
    return {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows_sha256": hashlib.sha256(vectors.vectors.tobytes()).hexdigest(),
        "package_version": vectors.metadata["package_version"],
    }


def make_exports(folder):
    """Export, and return what today's version reads from each."""
    found = {}
    for name, options in EXPORTS.items():
        w2v(folder, "export", "cbow.safetensors", name, "--quiet", *options)
        [told] = w2v(folder, "import", name, "-o", "imported.safetensors", "--dtype", "float32", "--quiet", "--json")
        found[name] = answers(folder / "imported.safetensors") | {"told": told}
        del found[name]["rows"], found[name]["words"]  # the words are those of the vectors
        (folder / "imported.safetensors").unlink()
    return found


def make_configs(folder):
    """Write YAML, and return the settings that it stands for, by file."""
    for name, options in {"shown.yaml": SHOWN, "shown-origin.yaml": ("--config", "shown.yaml", "--origin")}.items():
        with (folder / name).open("wb") as file:
            command = [sys.executable, "-m", "w2v_cli", "config", "show", *options]
            subprocess.run(command, cwd=folder, stdout=file, check=True)
    [listed] = w2v(folder, "config", "list", "--json")
    for config in listed["configs"]:
        shutil.copyfile(config["path"], folder / f"{config['name']}.yaml")
    files = sorted(path.name for path in folder.glob("*.yaml"))
    return {name: w2v(folder, "config", "show", "--config", name, "--json")[0]["config"] for name in files}


def make_logs(folder):
    """Take out of the logs what they say of this machine, and return what `plot` reads in them."""
    for path in folder.glob("*.jsonl"):
        events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        machine = events[0]["machine"]
        for key, instead in {"host": "host", "system": "Linux", "processor": "x86_64"}.items():
            machine[key] = instead
        events[0]["process"] = 1
        path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return w2v(folder, "plot", *sorted(path.name for path in folder.glob("*.jsonl")), "--json")


def check(folder):
    """Stop where a file says something of this machine."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for place in (str(folder), str(HERE.parents[1]), os.environ.get("HOME", "/root"), "/tmp/"):  # noqa: S108
                if place.encode() in content:
                    raise SystemExit(f"{path.name} holds {place}")
            if f'"{platform.node()}"'.encode() in content:
                raise SystemExit(f"{path.name} holds the name of this machine")


if __name__ == "__main__":
    main(*sys.argv[1:])
