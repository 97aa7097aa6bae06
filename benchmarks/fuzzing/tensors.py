"""Cases for files of tensors: vectors and snapshots, damaged as bytes, and crafted with a digest that is right."""

import functools
import hashlib
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import JSON_VALUES, dump_json, mutate, mutate_json, random_bytes
from fuzzing.reading import Case, Reader
from w2v_cli import formats, queries, tensor_file, vectors
from w2v_cli.cli import info
from w2v_cli.errors import UnknownWordError
from w2v_cli.pipeline import summary, train_vectors
from w2v_cli.resuming import load_snapshot
from w2v_cli.settings import Config
from w2v_cli.snapshot import snapshot_path
from w2v_cli.vectors import WordVectors

_WORDS = ("the", "sea", "é", "sky", "日本", "naïve")
_METADATA = {
    "config": {"model": {"dim": 3}, "training": {"evaluate": ["x"]}},
    "corpus": {"source": "x.txt", "words": 9},
    "epoch_losses": [2.5, 1.25],
    "final_loss": 1.25,
    "seed": 1,
}
_TEXT = "the sea and the sky. the sky and the land!\nthe land and the sea, the sea\n" * 6
_STEPS = 3  # a resumed training is stopped after so many looks
_TOKENS = (b'"F16"', b'"BF16"', b'"F64"', b'"shape":[', b"[0,0]", b"{}", b'"__metadata__"', b"9" * 20, b'"sha256"', b" " * 64)


def craft(rng: random.Random, seed: bytes) -> bytes:
    """Return the file with its header, metadata or data changed, its length and mostly its digest made right again."""
    length = int.from_bytes(seed[:8], "little")
    header, data = json.loads(seed[8 : 8 + length]), seed[8 + length :]
    texts = header.pop("__metadata__")
    if rng.random() < 0.4:  # noqa: PLR2004
        header = mutate_json(rng, header)
    if rng.random() < 0.4:  # noqa: PLR2004
        texts = _changed_texts(rng, texts)
    if rng.random() < 0.3:  # noqa: PLR2004
        data = _changed_data(rng, data)
    if isinstance(header, dict) and isinstance(texts, dict) and rng.random() < 0.9:  # noqa: PLR2004
        texts = texts | {"sha256": _digest(header, texts, data)}
    content = dump_json(rng, {"__metadata__": texts} | header if isinstance(header, dict) else header)
    content += b" " * (-len(content) % 8)
    size = len(content) if rng.random() < 0.95 else rng.choice((0, 1, len(content) - 1, len(content) + 8, 2**62, 2**64 - 1))  # noqa: PLR2004
    return size.to_bytes(8, "little") + content + data


def _changed_texts(rng: random.Random, texts: dict[str, str]) -> dict[str, Any]:
    """Return metadata of which one value, or what JSON it stands for, is another."""
    if rng.random() < 0.2:  # noqa: PLR2004
        changed: dict[str, Any] = mutate_json(rng, texts)
        return changed
    key = rng.choice(list(texts))
    try:
        text = dump_json(rng, mutate_json(rng, json.loads(texts[key])))
    except ValueError:  # the digest is no JSON
        text = random_bytes(rng)
    return texts | {key: text.decode("utf-8", "surrogatepass" if text.isascii() else "replace")}


def _changed_data(rng: random.Random, data: bytes) -> bytes:
    """Return data of the same length, mostly, with other numbers in it: NaN, infinity, beyond all borders."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 3))):
        width, at = rng.choice((2, 4, 8)), rng.randrange(max(1, len(data) - 8))
        number = rng.choice((0, 1, 0x7E00, 0x7C00, 0x7FC00000, 0x7F800000, 0x7F7FFFFF, 2**63 - 1, 2**63, rng.getrandbits(64)))
        changed[at : at + width] = (number % 256**width).to_bytes(width, "little")
    return bytes(changed) if rng.random() < 0.9 else mutate(rng, data)  # noqa: PLR2004


def _digest(header: Any, texts: Any, data: bytes) -> str:
    """Return the digest that a file of this content needs; of what can have none, any."""
    digest = hashlib.sha256(data)
    try:
        digest.update(tensor_file._encode_header(header, {key: texts[key] for key in texts if key != "sha256"}))  # noqa: SLF001
    except (TypeError, ValueError, RecursionError):
        pass
    return digest.hexdigest()


@functools.cache
def _vectors_seeds() -> tuple[bytes, ...]:
    """Return valid files: with counts and metadata, and without."""
    rows = np.random.default_rng(1).normal(size=(len(_WORDS), 3)).astype(np.float16)
    counts = np.arange(len(_WORDS), 0, -1, dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        seeds = []
        for word_vectors in (WordVectors(rows, _WORDS, counts, _METADATA), WordVectors(rows, _WORDS)):
            vectors.save(path, word_vectors, overwrite=True)
            seeds.append(path.read_bytes())
    return tuple(seeds)


def _make_vectors(rng: random.Random) -> Case:
    """Draw a vectors file, crafted or damaged, or another kind of file."""
    seed = rng.choice(_vectors_seeds())
    match rng.randrange(8):
        case 0:
            magic = rng.choice((b"", b"\x80\x04", b"PK\3\4", b"\x1f\x8b", bytes(8) + b"{", b"10 3\n", *(kind for kind, _ in formats.KINDS)))
            data = magic + random_bytes(rng)
        case 1 | 2:
            data = mutate(rng, seed, _TOKENS)
        case _:
            data = craft(rng, seed)
    return Case(data, {"suffix": rng.choice((".safetensors", ".safetensors", ".pkl", ""))})


def _read_vectors(case: Case, folder: Path) -> None:
    """Open the file and do with it what the commands do."""
    path = folder / f"x{case.settings['suffix']}"
    path.write_bytes(case.data)
    try:
        use_vectors(path)
    finally:
        path.unlink()


def use_vectors(path: Path) -> None:
    """Open a file of vectors; tell what it is, ask for neighbours and analogies, write it anew."""
    word_vectors = formats.open_vectors(path)
    facts, metadata = info._facts(path, word_vectors), dict(word_vectors.metadata)  # noqa: SLF001
    "\n".join(info._lines(facts) + info._lines(metadata)).encode("utf-8")  # noqa: SLF001
    json.dumps(facts | {"metadata": metadata})
    words = word_vectors.words
    neighbours = queries.similar(word_vectors, words[0], top=2)
    neighbours += queries.analogy(word_vectors, words[0], words[-1], words[len(words) // 2])
    assert all(np.isfinite(neighbour.score) for neighbour in neighbours), neighbours  # noqa: S101  a finding
    try:
        word_vectors.word_id("\0no such word")
    except UnknownWordError as error:
        assert len(str(error)) < 1000, len(str(error))  # noqa: PLR2004, PT017, S101
    again = path.with_name("again")
    try:
        vectors.save(again, WordVectors(word_vectors.vectors, words, word_vectors.counts), overwrite=False)
        assert vectors.load(again).words == words  # noqa: S101
    finally:
        again.unlink(missing_ok=True)


_TRAININGS: tuple[dict[str, Any], ...] = (
    {"training": {"algorithm": "block", "backend": "numpy", "validation": 0.3, "patience": 2, "epochs": 3}},
    {"training": {"algorithm": "minibatch", "backend": "numpy", "optimizer": "adam", "epochs": 3}, "model": {"model": "skipgram"}},
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
            seeds.append(snapshot_path(folder / "w2v.safetensors").read_bytes())
    return tuple(seeds)


def _make_snapshot(rng: random.Random) -> Case:
    """Draw a snapshot, crafted or damaged, and of which training it is given out to be."""
    number = rng.randrange(len(_TRAININGS))
    seed = _snapshot_seeds()[number]
    data = mutate(rng, seed, _TOKENS) if rng.random() < 0.2 else _crafted_loop(rng, seed) if rng.random() < 0.4 else craft(rng, seed)  # noqa: PLR2004
    others = [name for name in ("model.init_from", "training.epochs", "training.learning_rate", "corpus.min_count") if rng.random() < 0.1]  # noqa: PLR2004
    return Case(data, {"training": number if rng.random() < 0.95 else 1 - number, "given": others})  # noqa: PLR2004


def _crafted_loop(rng: random.Random, seed: bytes) -> bytes:
    """Return a snapshot whose loop or point is another, all lengths and the digest being right."""
    length = int.from_bytes(seed[:8], "little")
    header, data = json.loads(seed[8 : 8 + length]), seed[8 + length :]
    texts = header.pop("__metadata__")
    first, last = header["loop"]["data_offsets"]
    loop = json.loads(data[first:last])
    if rng.random() < 0.7:  # noqa: PLR2004
        loop = _changed_loop(rng, loop)
    if rng.random() < 0.3:  # noqa: PLR2004
        texts["point"] = json.dumps(mutate_json(rng, json.loads(texts["point"])))
    encoded = dump_json(rng, loop)
    data = data[:first] + encoded + data[last:]
    grown = len(encoded) - (last - first)
    for entry in header.values():
        begin, end = entry["data_offsets"]
        entry["data_offsets"] = [begin + grown * (begin > first), end + grown * (begin >= first)]
    header["loop"]["shape"] = [len(encoded)]
    texts["sha256"] = _digest(header, texts, data)
    content = json.dumps({"__metadata__": texts} | header, separators=(",", ":")).encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content + data


def _changed_loop(rng: random.Random, loop: dict[str, Any]) -> Any:
    """Return a loop in which one number or report is another, or anything."""
    if rng.random() < 0.5:  # noqa: PLR2004
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
        load_snapshot(own / "w2v.safetensors")
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
        config = config.model_copy(update={"model": config.model.model_copy(update={"init_from": str(own / "text.txt")})})
    if "training.epochs" in others:
        config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 5})})
    saved = train_vectors(config, own / "data", lambda _: None, resume=given, is_stop_wanted=is_stop_wanted)
    json.dumps(summary(saved), allow_nan=False)
    vectors.load(saved.path)
    load_snapshot(saved.path)
    assert not list(own.glob("*.tmp"))  # noqa: S101


READERS = (
    Reader("vectors", _make_vectors, _read_vectors, prepare=lambda: _vectors_seeds() and None),
    Reader("snapshot", _make_snapshot, _read_snapshot, prepare=lambda: _snapshot_seeds() and None, memory_bytes=400 << 20),
)
