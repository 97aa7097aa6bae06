"""Draw the pictures of docs/explanation/block-algorithm.md: `python tools/draw_figures.py` writes docs/images/*.svg.

The pictures follow the reader's light or dark mode, and have a background of their own, so that they can be read on
any page.
"""

import random
from pathlib import Path

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #22313a }
  .small { font-size: 12px } .bold { font-weight: 600 } .middle { text-anchor: middle } .end { text-anchor: end }
  .page { fill: #fbfbf8; stroke: #d5d9d6 }
  .context { fill: #d7e6ef; stroke: #6b93ab } .centre { fill: #9ed8cb; stroke: #1e8573 }
  .negative { fill: #f6d3b3; stroke: #b9722b } .none { fill: #eceeec; stroke: #d5d9d6 }
  .line { stroke: #4b5b64; fill: none; stroke-width: 1.5 } .arrow { fill: #4b5b64 }
  @media (prefers-color-scheme: dark) {
    text { fill: #dfe7ea } .page { fill: #1d2529; stroke: #3a464c }
    .context { fill: #2d4a5c; stroke: #7fb0cd } .centre { fill: #1d6154; stroke: #6fd0bc }
    .negative { fill: #6b4420; stroke: #e5a569 } .none { fill: #262f34; stroke: #333e44 }
    .line { stroke: #a9b8bf } .arrow { fill: #a9b8bf }
  }
"""
WINDOW, CENTRES, NEGATIVES = 5, 12, 9  # shown; a real block has 32 centres and 24 negatives


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle of a kind: context, centre, negative, none or page."""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" class="{kind}"/>'


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return a line of text that begins at x, or ends or has its middle there if its kind says so."""
    return f'<text x="{x}" y="{y}" class="{kind}">{words}</text>'


def line(*points: tuple[float, float]) -> str:
    """Return a line through the points."""
    return f'<polyline class="line" points="{" ".join(f"{x},{y}" for x, y in points)}"/>'


def arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a straight arrow, level or upright."""
    (x, y), tip = start, end
    along = (0, 1 if tip[1] > y else -1) if x == tip[0] else (1 if tip[0] > x else -1, 0)
    base = tip[0] - 9 * along[0], tip[1] - 9 * along[1]
    corners = (
        tip,
        (base[0] + 5 * along[1], base[1] + 5 * along[0]),
        (base[0] - 5 * along[1], base[1] - 5 * along[0]),
    )
    return line(start, base) + f'<polygon class="arrow" points="{" ".join(f"{a},{b}" for a, b in corners)}"/>'


def write(name: str, width: int, height: int, title: str, parts: list[str]) -> None:
    """Write a picture into docs/images."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    page = f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" class="page"/>'
    body = "\n".join([head, f"<title>{title}</title>", f"<style>{STYLE}</style>", page, *parts, "</svg>\n"])
    (IMAGES / name).write_text(body, encoding="utf-8")


def draw_block() -> None:
    """Draw the words of a block: contexts, centres and shared negatives."""
    size, left, top = 28, 24, 74
    parts = [text(left, 32, "The text after subsampling, one word per box", "bold")]
    for place in range(2 * WINDOW + CENTRES):
        kind = "centre" if WINDOW <= place < WINDOW + CENTRES else "context"
        parts.append(box(left + place * (size + 2), top, size, size, kind))
    edge = [left + place * (size + 2) for place in range(2 * WINDOW + CENTRES + 1)]
    parts += [text((edge[0] + edge[WINDOW]) / 2, 62, "window", "small middle")]
    parts += [text((edge[WINDOW] + edge[WINDOW + CENTRES]) / 2, 62, "32 centres (12 shown)", "small middle")]
    parts += [text((edge[WINDOW + CENTRES] + edge[-1]) / 2, 62, "window", "small middle")]
    for place, reach, below, words in (
        (WINDOW + 3, 3, 132, "window of the 4th centre: 3"),
        (WINDOW + 9, 2, 132, "of the 10th: 2"),
    ):
        middle, first, last = edge[place] + size / 2, edge[place - reach], edge[place + reach] + size
        parts += [line((first, 110), (first, 116), (last, 116), (last, 110)), line((middle, 104), (middle, 116))]
        parts.append(text(middle, below, words, "small middle"))
    parts += [text(left, 176, "24 negatives, drawn once and shared by all 32 centres (9 shown)", "bold")]
    parts += [box(left + place * (size + 2), 188, size, size, "negative") for place in range(NEGATIVES)]
    write("block.svg", 712, 238, "A block: centres, the words around them, and shared negatives", parts)


def draw_scores() -> None:
    """Draw which scores of a block count: those within a window, and those with negatives."""
    generator = random.Random(7)  # noqa: S311  a picture
    size, left, top = 14, 160, 92
    rows = 2 * WINDOW + CENTRES
    right = left + (CENTRES + 1) * size
    reaches = [generator.randint(1, WINDOW) for _ in range(CENTRES)]
    parts = [text(24, 32, "The scores of a block: one product of two small matrices", "bold")]
    parts += [
        text(left + CENTRES * size / 2, 62, "centres", "middle"),
        text(left + 84, 80, "output vectors", "small middle"),
    ]
    parts += [text(right + NEGATIVES * size / 2, 62, "negatives", "middle")]
    parts += [text(right + NEGATIVES * size / 2, 80, "output vectors", "small middle")]
    for row in range(rows):
        kind = "centre" if WINDOW <= row < WINDOW + CENTRES else "context"
        parts.append(box(left - 22, top + row * size, size - 2, size - 2, kind))
        for column, reach in enumerate(reaches):
            distance = abs(row - WINDOW - column)
            parts.append(
                box(
                    left + column * size,
                    top + row * size,
                    size - 2,
                    size - 2,
                    "centre" if 0 < distance <= reach else "none",
                )
            )
        parts += [
            box(right + column * size, top + row * size, size - 2, size - 2, "negative") for column in range(NEGATIVES)
        ]
    middle = top + rows * size / 2
    parts += [
        text(left - 34, middle - 8, "context words", "end"),
        text(left - 34, middle + 10, "input vectors", "small end"),
    ]
    note = right + NEGATIVES * size + 28
    for y, kind, first, second in (
        (top + 30, "centre", "in the drawn window:", "label 1, should be high"),
        (top + 100, "negative", "with a negative:", "label 0, K/N for each pair"),
        (top + 170, "none", "outside the window,", "or the word itself: not used"),
    ):
        parts += [box(note, y - 12, 14, 14, kind), text(note + 24, y, first), text(note + 24, y + 18, second, "small")]
    write("scores.svg", 712, top + rows * size + 24, "Which scores of a block count", parts)


def draw_rows() -> None:
    """Draw how many rows of the matrices a block touches, against training pair by pair."""
    parts = [text(24, 32, "Rows read and written for 32 centres, window 5, 5 negatives", "bold")]
    scale = 1.45
    parts += [text(24, 72, "word by word")]
    widths = ((192, "context", "192 context"), (32, "centre", "32"), (160, "negative", "160 negatives"))
    x = 140.0
    for rows, kind, words in widths:
        parts += [box(x, 52, rows * scale - 2, 30, kind), text(x + rows * scale / 2, 72, words, "small middle")]
        x += rows * scale
    parts += [text(140, 102, "384 rows: each window and each negative anew", "small")]
    parts += [text(24, 148, "as a block")]
    x = 140.0
    for rows, kind, words in ((42, "context", "42"), (32, "centre", "32"), (24, "negative", "24")):
        parts += [box(x, 128, rows * scale - 2, 30, kind), text(x + rows * scale / 2, 148, words, "small middle")]
        x += rows * scale
    parts += [
        text(140, 178, "98 rows: each read once, each written once; everything between stays in the cache", "small")
    ]
    write("rows.svg", 712, 198, "Rows of the matrices that a block touches", parts)


def draw_threads() -> None:
    """Draw how threads share the work: without locks, and in rounds with --deterministic."""
    parts = [text(24, 32, "By default: threads take the next span and update the same matrices, without locks", "bold")]
    for number in range(8):
        kind = ("context", "centre")[number % 2] if number < 4 else "none"
        parts.append(box(24 + number * 84, 48, 80, 26, kind))
        if number < 4:
            parts.append(text(64 + number * 84, 66, f"thread {number % 2 + 1}", "small middle"))
    parts += [
        arrow((190, 80), (190, 112)),
        text(206, 102, "read and written at any time: fast, and slightly different each run", "small"),
    ]
    parts += [box(24, 116, 248, 26, "negative"), text(148, 134, "input and output vectors", "small middle")]
    parts += [text(24, 190, "With --deterministic: rounds over eight spans", "bold")]
    for number in range(8):
        parts += [box(24 + number * 84, 204, 80, 26, "none"), box(28 + number * 84, 208, 20, 18, "centre")]
    parts += [text(24, 252, "1  the next block of each span; all computed from one state, by any thread", "small")]
    parts += [arrow((360, 258), (360, 282))]
    parts += [
        text(
            24,
            302,
            "2  all eight applied in the order of the spans: the bytes do not depend on the number of threads",
            "small",
        )
    ]
    parts += [box(24, 312, 248, 26, "negative"), text(148, 330, "input and output vectors", "small middle")]
    write("threads.svg", 712, 356, "How threads share the work", parts)


if __name__ == "__main__":
    for draw in (draw_block, draw_scores, draw_rows, draw_threads):
        draw()
