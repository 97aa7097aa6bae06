"""Answers of one file or of several side by side: columns on a terminal, tabs for programs, JSON."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console
from w2v_cli.errors import UnknownWordError

if TYPE_CHECKING:
    from w2v_cli.queries import Answer, Neighbour

_GAP = 3  # columns between what two files answer


@dataclass(frozen=True)
class AnswerDisplay:
    """Shows answers to questions.

    list_name, score_name: what JSON calls the answers and their numbers; is_only: whether there is one question, so
    that its answers stand without it.
    """

    command: str
    paths: Sequence[Path]
    list_name: str
    score_name: str
    is_only: bool
    as_json: bool

    def show(self, label: str, fields: dict[str, Any], answers: Sequence["Answer"]) -> None:
        """Write the answers of each file to a question, which text calls `label` and JSON describes by `fields`."""
        if self.as_json:
            console.write_json(self.command, fields | self._content(answers))
            return
        for path, answer in zip(self.paths, answers, strict=True):
            if isinstance(answer, UnknownWordError):
                console.warn(f"{path}: {answer}")
        lists = [[] if isinstance(answer, UnknownWordError) else answer for answer in answers]
        if len(lists) == 1 and self.is_only:
            console.show_neighbours(lists[0], score_name=self.score_name)
        elif not any(lists):
            console.note(f"{console.printable(label)}: no other word is left to answer with.")
        elif sys.stdout.isatty():
            self._show_columns(label, lists)
        else:
            first = [] if self.is_only else [label]
            console.write("\n".join(console.tabbed(*first, *cells) for cells in _rows(lists)))

    def _content(self, answers: Sequence["Answer"]) -> dict[str, Any]:
        """Return what JSON says of the answers."""
        from w2v_cli.queries import shared_words  # noqa: PLC0415  NumPy is not needed for --help

        files = [self._of_file(path, answer) for path, answer in zip(self.paths, answers, strict=True)]
        if len(files) == 1:
            return {key: value for key, value in files[0].items() if key != "suggestions"}
        return {"files": files, "shared": shared_words(answers)}

    def _of_file(self, path: Path, answer: "Answer") -> dict[str, Any]:
        """Return what JSON says of one file's answer."""
        if isinstance(answer, UnknownWordError):
            return {"vectors": str(path), self.list_name: None, "suggestions": list(answer.suggestions)}
        found = [{"word": neighbour.word, self.score_name: neighbour.score} for neighbour in answer]
        return {"vectors": str(path), self.list_name: found, "suggestions": []}

    def _show_columns(self, label: str, lists: Sequence[list["Neighbour"]]) -> None:
        """Write aligned columns, a file beside the other where the terminal is wide enough, else below it."""
        indent = "" if self.is_only else "  "
        if not self.is_only:
            console.write(console.printable(label))
        blocks = [console.aligned([(one.word, f"{one.score:.4f}") for one in answers]) for answers in lists]
        if len(lists) > 1:
            names = [console.printable(path.name) for path in self.paths]
            blocks = [[name, *block] for name, block in zip(names, blocks, strict=True)]
        widths = [max(map(console.width, block), default=0) for block in blocks]
        if len(indent) + sum(widths) + _GAP * (len(widths) - 1) <= shutil.get_terminal_size().columns:
            blocks = [[_joined(cells, widths) for cells in zip_longest(*blocks, fillvalue="")]]
        console.write("\n".join(indent + line for block in blocks for line in block))


def _rows(lists: Sequence[list["Neighbour"]]) -> list[list[str]]:
    """Return the rows of a table for programs: word and number of each file, empty where it has no more answers."""
    cells = [[[one.word, f"{one.score:.4f}"] for one in answers] for answers in lists]
    return [[cell for pair in pairs for cell in pair] for pairs in zip_longest(*cells, fillvalue=["", ""])]


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return the cells of a line, each as wide as its column."""
    padded = [cell + " " * (width - console.width(cell)) for cell, width in zip(cells, widths, strict=True)]
    return (" " * _GAP).join(padded).rstrip()
