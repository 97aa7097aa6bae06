"""Cases for vectors files, damaged as bytes, and crafted with a digest that is right."""

import contextlib
import functools
import hashlib
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import chance, dump_json, mutate, mutate_json, random_bytes
from fuzzing.reading import Case, Reader
from w2v_cli.cli.commands import info
from w2v_cli.errors import UnknownWordError
from w2v_cli.queries.word_vectors import WordVectors
from w2v_cli.vectors import keyed_vectors, load, safetensors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

_WORDS = ("the", "sea", "é", "sky", "日本", "naïve")
_LONG_WORDS = ("a" * 2999 + "b", "a" * 2999 + "c")  # a bit apart
_METADATA = {
    "config": {"model": {"dim": 3}, "training": {"evaluate": ["x"]}},
    "corpus": {"source": "x.txt", "words": 9},
    "epoch_losses": [2.5, 1.25],
    "final_loss": 1.25,
    "seed": 1,
}
_SIZES = {"I64": 8, "F16": 2, "F32": 4, "U8": 1}
_TENSOR_NAMES = (
    "vectors",
    "counts",
    "vocabulary.bytes",
    "vocabulary.offsets",
    "x",
    "",
    "loop",
    "best_vectors",
    "\ud800",
)
TOKENS = (
    b'"F16"',
    b'"BF16"',
    b'"F64"',
    b'"shape":[',
    b"[0,0]",
    b"{}",
    b'"__metadata__"',
    b"9" * 20,
    b'"sha256"',
    b" " * 64,
)


def craft(rng: random.Random, seed: bytes) -> bytes:
    """Return the file with its header, metadata or data changed, its length and mostly its digest made right again."""
    length = int.from_bytes(seed[:8], "little")
    header, data = json.loads(seed[8 : 8 + length]), seed[8 + length :]
    texts = header.pop("__metadata__")
    parts = rng.choice(("header", "layout", "layout", "layout data", "texts", "texts", "data", "header texts"))
    if "layout" in parts:
        header, data = _laid_out_anew(rng, header, data)
    if "header" in parts:
        header = mutate_json(rng, header)
    if "texts" in parts:
        texts = _changed_texts(rng, texts)
    if "data" in parts:
        data = _changed_data(rng, data)
    if isinstance(header, dict) and isinstance(texts, dict) and chance(rng, 0.9):
        texts = texts | {"sha256": digest_of(header, texts, data)}
    content = dump_json(rng, {"__metadata__": texts} | header if isinstance(header, dict) else header)
    content += b" " * (-len(content) % 8)
    size = (
        len(content) if chance(rng, 0.95) else rng.choice((0, 1, len(content) - 1, len(content) + 8, 2**62, 2**64 - 1))
    )
    return size.to_bytes(8, "little") + content + data


def _laid_out_anew(rng: random.Random, header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return other tensors that fill the file as they should: of other names, types, shapes, or numbers of rows."""
    tensors = [
        (name, entry["dtype"], entry["shape"], data[entry["data_offsets"][0] : entry["data_offsets"][1]])
        for name, entry in header.items()
    ]
    for _ in range(rng.choice((1, 1, 2))):
        at = rng.randrange(len(tensors)) if tensors else 0
        tensors[at : at + 1] = _changed_tensors(rng, *tensors[at]) if tensors else []
    if chance(rng, 0.2):
        rng.shuffle(tensors)
    laid_out, content = {}, b""
    for name, dtype, shape, part in tensors:
        if name not in laid_out:
            laid_out[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(content), len(content) + len(part)]}
            content += part
    return laid_out, content


def _changed_tensors(rng: random.Random, name: str, dtype: str, shape: list[int], data: bytes) -> list[Any]:
    """Return what is in the place of a tensor: nothing, two, or another one; its bytes are as many as it says."""
    size, rows = _SIZES[dtype], shape[0]
    match rng.randrange(6):
        case 0:
            return []
        case 1:
            return [(name, dtype, shape, data), (rng.choice(_TENSOR_NAMES), dtype, shape, data)]
        case 2:
            return [(rng.choice(_TENSOR_NAMES), dtype, shape, data)]
        case 3:
            kept = rng.choice((1, max(1, rows - 1)))
            return [(name, dtype, [kept, *shape[1:]], data[: len(data) // rows * kept])]
        case 4:
            other = rng.choice(list(_SIZES))
            items = len(data) // _SIZES[other]
            return [(name, other, [items], data[: items * _SIZES[other]])] if items else []
        case _:
            items = len(data) // size
            return [(name, dtype, rng.choice(([items], [items, 1], [1, items], shape[::-1])), data)]


def _changed_texts(rng: random.Random, texts: dict[str, str]) -> dict[str, Any]:
    """Return metadata of which one value, or what JSON it stands for, is another."""
    if chance(rng, 0.2):
        changed: dict[str, Any] = mutate_json(rng, texts)
        return changed
    key = rng.choice([key for key in texts if key != "format_version"])
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
        number = rng.choice(
            (0, 1, 0x7E00, 0x7C00, 0x7FC00000, 0x7F800000, 0x7F7FFFFF, 2**63 - 1, 2**63, rng.getrandbits(64))
        )
        changed[at : at + width] = (number % 256**width).to_bytes(width, "little")
    return bytes(changed) if chance(rng, 0.9) else mutate(rng, data)


def digest_of(header: Any, texts: Any, data: bytes) -> str:
    """Return the digest that a file of this content needs; of what can have none, any."""
    digest = hashlib.sha256(data)
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        digest.update(safetensors._encode_header(header, {key: texts[key] for key in texts if key != "sha256"}))  # noqa: SLF001
    return digest.hexdigest()


@functools.cache
def _vectors_seeds() -> tuple[bytes, ...]:
    """Return valid files: with counts and metadata, without, and with long words."""
    rows = np.random.default_rng(1).normal(size=(len(_WORDS), 3)).astype(np.float16)
    counts = np.arange(len(_WORDS), 0, -1, dtype=np.int64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        seeds = []
        whole, bare = KeyedVectors(rows, _WORDS, counts, _METADATA), KeyedVectors(rows, _WORDS)
        for word_vectors in (whole, bare, KeyedVectors(rows[:2], _LONG_WORDS)):
            keyed_vectors.save(path, word_vectors, overwrite=True)
            seeds.append(path.read_bytes())
    return tuple(seeds)


def _make_vectors(rng: random.Random) -> Case:
    """Draw a vectors file, crafted or damaged, or another kind of file."""
    seed = rng.choice(_vectors_seeds())
    match rng.randrange(8):
        case 0:
            magic = rng.choice(
                (
                    b"",
                    b"\x80\x04",
                    b"PK\3\4",
                    b"\x1f\x8b",
                    bytes(8) + b"{",
                    b"10 3\n",
                    *(kind for kind, _ in load.KINDS),
                )
            )
            data = magic + random_bytes(rng)
        case 1 | 2:
            data = mutate(rng, seed, TOKENS)
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
    word_vectors = load.open_vectors(path)
    facts, metadata = info._facts(path, word_vectors), dict(word_vectors.metadata)  # noqa: SLF001
    "\n".join(info._lines(facts) + info._lines(metadata)).encode("utf-8")  # noqa: SLF001
    json.dumps(facts | {"metadata": metadata})
    words = word_vectors.words
    asked = WordVectors.of(word_vectors)
    neighbours = asked.similar(words[0], top=2)
    neighbours += asked.analogy(words[0], words[-1], words[len(words) // 2])
    assert all(np.isfinite(neighbour.score) for neighbour in neighbours), neighbours  # noqa: S101  a finding
    try:
        word_vectors.word_id("\0no such word")
    except UnknownWordError as error:
        assert len(str(error)) < 1000, len(str(error))  # noqa: PLR2004, PT017, S101
    again = path.with_name("again")
    try:
        keyed_vectors.save(again, KeyedVectors(word_vectors.vectors, words, word_vectors.counts), overwrite=False)
        assert keyed_vectors.load(again).words == words  # noqa: S101
    finally:
        again.unlink(missing_ok=True)


READERS = (Reader("vectors", _make_vectors, _read_vectors, prepare=lambda: _vectors_seeds() and None),)
