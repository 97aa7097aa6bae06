"""A word map as one self-contained HTML file: the parts in assets/, with the words as data."""

import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli import __version__
from w2v_cli.system import files
from w2v_cli.visual.word_map.layout import WordMap

_PAGE = Path(__file__).with_name("assets")
_SCRIPTS = (
    "data.js",
    "camera.js",
    "colours.js",
    "points.js",
    "painter.js",
    "search.js",
    "panel.js",
    "main.js",
)  # in the order of the page
_POINT_STEPS = 32_767  # int16; a screen has fewer pixels
_COSINE_STEPS = 10_000  # the decimals that `w2v similar` prints


def save_map(path: Path, word_map: WordMap, *, title: str, facts: str, overwrite: bool) -> int:
    """Write the page of a map, completely or not at all; equal maps give equal bytes.

    Args:
        path: The HTML file to write.
        word_map: The map.
        title: The heading above the map.
        facts: A line of text below it.
        overwrite: Whether to replace an existing file.

    Returns:
        The size of the file in bytes.

    Raises:
        ConfigError: `path` exists, and `overwrite` is false.
        StorageError: The disk refuses.
    """
    page = render_page(word_map, title=title, facts=facts).encode()
    with files.atomic_write(path, overwrite=overwrite) as file:
        file.write(page)
    return len(page)


def render_page(word_map: WordMap, *, title: str, facts: str) -> str:
    """Return the page: `title` above the map, `facts` in a line below it.

    A word can be any text, so the content security policy allows this style and script alone, by their hashes, and no
    connections.
    """
    style = _read("map.css")
    script = "(() => {\n'use strict';\n" + "\n".join(map(_read, _SCRIPTS)) + "})();\n"
    template = Template(_read("map.html"))
    return template.substitute(
        version=__version__,
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=data_text(word_map),
        title=html.escape(_well_formed(title)),
        facts=html.escape(_well_formed(facts)),
    )


def data_text(word_map: WordMap) -> str:
    r"""Return the map as JSON that can stand in an HTML script, without any `<` that could end it.

    points: int16 x and y, the longer side of the map from -32,767 to 32,767, y upwards; neighbours: uint16, or uint32
    for more words; cosines: int16 ten-thousandths; clusters: uint8. All arrays are little-endian, in base64.
    """
    wide = len(word_map.words) > np.iinfo(np.uint16).max
    content: dict[str, Any] = {
        "words": word_map.words,
        "counts": None if word_map.counts is None else word_map.counts.tolist(),
        "points": _encoded(_quantised(word_map.points), "<i2"),
        "neighboursEach": word_map.neighbours.shape[1],
        "neighbourBits": 32 if wide else 16,
        "neighbours": _encoded(word_map.neighbours, "<u4" if wide else "<u2"),
        "cosines": _encoded(np.rint(word_map.cosines.astype(np.float64) * _COSINE_STEPS), "<i2"),
        "clusters": _encoded(word_map.clusters, "u1"),
        "typical": word_map.typical,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _quantised(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the points centred and scaled to int16, by the same factor in x and y."""
    low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    extent = float((high - low).max()) / 2
    quantised: NDArray[np.float64] = np.rint((points - (low + high) / 2) * (_POINT_STEPS / extent if extent > 0 else 0))
    return quantised


def _encoded(numbers: NDArray[Any], kind: str) -> str:
    """Return an array as base64 in a type of NumPy's."""
    return base64.b64encode(numbers.astype(kind).tobytes()).decode()


def _hash(text: str) -> str:
    """Return the source expression of a content security policy for an inline `text`."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    """Return a part of the page."""
    return (_PAGE / name).read_text(encoding="utf-8")


def _well_formed(text: str) -> str:
    """Return `text` with `?` for unpaired surrogates, which a file name can contain."""
    return text.encode("utf-8", "replace").decode()
