"""Cases for snapshots: damaged as bytes, and crafted with a digest that is right; training goes on from them."""

import dataclasses
import functools
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from fuzzing.mutations import JSON_VALUES, chance, dump_json, mutate, mutate_json
from fuzzing.reading import Case, Reader
from fuzzing.tensors import TOKENS, craft, digest_of
from w2v_cli.config.schema import Config, OutputSettings
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.training import snapshot
from w2v_cli.training.resume import load_kept
from w2v_cli.training.snapshot import Snapshot, snapshot_path
from w2v_cli.vectors import keyed_vectors

_TEXT = "the sea and the sky. the sky and the land!\nthe land and the sea, the sea\n" * 6
_MAY_BE_GIVEN = ("model.init_from", "training.epochs", "training.learning_rate", "corpus.min_count")
_STEPS = 3  # a resumed training is stopped after so many looks
_TRAININGS: tuple[dict[str, Any], ...] = (
    {"training": {"algorithm": "block", "backend": "numpy", "validation": 0.3, "patience": 2, "epochs": 3}},
    {
        "training": {"algorithm": "minibatch", "backend": "numpy", "optimizer": "adam", "epochs": 3},
        "model": {"model": "skipgram"},
    },
)


def _config(folder: Path, number: int, **output: Any) -> Config:
    """Return the config of one of the trainings whose snapshots are the seeds."""
    chosen = _TRAININGS[number]
    given = {
        "corpus": {"source": str(folder / "text.txt"), "min_count": 1},
        "model": {"dim": 3, "window": 2} | chosen.get("model", {}),
        "sampling": {"subsample": 0.0, "negatives": 2},
        "training": {"batch_size": 16, "threads": 1} | chosen["training"],
        "output": {"path": str(folder / "w2v.safetensors")} | output,
    }
    return Config.model_validate(given)


@functools.cache
def _snapshot_seeds() -> tuple[bytes, ...]:
    """Return the snapshots of trainings that were stopped on the way."""
    seeds = []
    for number in range(len(_TRAININGS)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "text.txt").write_text(_TEXT, encoding="utf-8")
            config, epochs = _config(folder, number), []
            train_vectors(config, folder / "data", epochs.append, is_stop_wanted=lambda e=epochs: len(e) > 8)  # noqa: PLR2004
            seeds.append(_without_chance(snapshot_path(folder / "w2v.safetensors")))
    return tuple(seeds)


def _without_chance(path: Path) -> bytes:
    """Return the file as it would be in every run: without its times and its place."""
    taken = snapshot.load_snapshot(path)
    corpus = taken.identity.config.corpus.model_copy(update={"source": "text.txt"})
    output = OutputSettings()
    config = taken.identity.config.model_copy(update={"corpus": corpus, "output": output})
    reports = [dataclasses.replace(report, words_per_second=1000.0, seconds_left=1.0) for report in taken.state.reports]
    copies = {name: array.copy() for name, array in taken.state.arrays.items()}
    identity = dataclasses.replace(taken.identity, config=config)
    state = dataclasses.replace(taken.state, seconds=1.0, reports=reports, arrays=copies)
    snapshot.save_snapshot(path, Snapshot(identity, state))
    return path.read_bytes()


def _make_snapshot(rng: random.Random) -> Case:
    """Draw a snapshot, crafted or damaged, and of which training it is given out to be."""
    number = rng.randrange(len(_TRAININGS))
    seed = _snapshot_seeds()[number]
    match rng.randrange(5):
        case 0:
            data = mutate(rng, seed, TOKENS)
        case 1 | 2:
            data = _crafted_loop(rng, seed)
        case _:
            data = craft(rng, seed)
    others = [name for name in _MAY_BE_GIVEN if chance(rng, 0.1)]
    return Case(data, {"training": number if chance(rng, 0.95) else 1 - number, "given": others})


def _crafted_loop(rng: random.Random, seed: bytes) -> bytes:
    """Return a snapshot whose loop or point is another, all lengths and the digest being right."""
    length = int.from_bytes(seed[:8], "little")
    header, data = json.loads(seed[8 : 8 + length]), seed[8 + length :]
    texts = header.pop("__metadata__")
    first, last = header["loop"]["data_offsets"]
    loop = json.loads(data[first:last])
    if chance(rng, 0.7):
        loop = _changed_loop(rng, loop)
    if chance(rng, 0.3):
        texts["point"] = json.dumps(mutate_json(rng, json.loads(texts["point"])))
    encoded = dump_json(rng, loop)
    data = data[:first] + encoded + data[last:]
    grown = len(encoded) - (last - first)
    for entry in header.values():
        begin, end = entry["data_offsets"]
        entry["data_offsets"] = [begin + grown * (begin > first), end + grown * (begin >= first)]
    header["loop"]["shape"] = [len(encoded)]
    texts["sha256"] = digest_of(header, texts, data)
    content = json.dumps({"__metadata__": texts} | header, separators=(",", ":")).encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content + data


def _changed_loop(rng: random.Random, loop: dict[str, Any]) -> Any:
    """Return a loop in which one number or report is another, or anything."""
    if chance(rng, 0.5):
        return mutate_json(rng, loop)
    where = rng.choice((loop["sums"], *loop["reports"], loop))
    where[rng.choice(list(where))] = rng.choice(JSON_VALUES)
    return loop


def _read_snapshot(case: Case, folder: Path) -> None:
    """Go on with the training for a moment, with a folder of its own that may be written to."""
    own = folder / "training"
    own.mkdir()
    try:
        (own / "text.txt").write_text(_TEXT, encoding="utf-8")
        snapshot_path(own / "w2v.safetensors").write_bytes(case.data)
        load_kept(own / "w2v.safetensors")
        _go_on(own, case.settings["training"], case.settings["given"])
    finally:
        shutil.rmtree(own)


def _go_on(own: Path, number: int, others: list[str]) -> None:
    """Resume, stop after some steps, and see that snapshot and vectors can be read: nothing bad was written."""
    looks: list[None] = []

    def is_stop_wanted() -> bool:
        looks.append(None)
        return len(looks) > _STEPS

    given = ["corpus.source", "output.path", "training.threads", "model.dim", *others]
    config = _config(own, number)
    if "model.init_from" in others:
        config = config.model_copy(
            update={"model": config.model.model_copy(update={"init_from": str(own / "text.txt")})}
        )
    if "training.epochs" in others:
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 5})})
    saved = train_vectors(config, own / "data", lambda _: None, resume=given, is_stop_wanted=is_stop_wanted)
    json.dumps(saved.as_json(), allow_nan=False)
    keyed_vectors.load(saved.path)
    load_kept(saved.path)
    assert not list(own.glob("*.tmp"))  # noqa: S101


READERS = (
    Reader(
        "snapshot", _make_snapshot, _read_snapshot, prepare=lambda: _snapshot_seeds() and None, memory_bytes=400 << 20
    ),
)
