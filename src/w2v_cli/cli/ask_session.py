"""The session of `w2v ask`: questions, and commands that begin with a slash."""

import dataclasses
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console, tables
from w2v_cli.cli.ask_inputs import split_words
from w2v_cli.errors import ConfigError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from w2v_cli.queries import Neighbour, Search
    from w2v_cli.vectors import KeyedVectors

HELP = """\
king                       the words most similar to a word
king - man + woman         or to a sum of words; put spaces around the signs
king : man :: queen        king is to man as queen is to …
/similarity king queen     cosine similarity, from -1 to 1
/odd dinner lunch war      the word that does not fit, and how well the others fit
/top 20                    how many words to show
/method add|mul|dot        how to score sums (see w2v similar --help)
/restrict 20000            show only the most frequent words; /restrict off for all
/min-count 10              show only words this frequent; /min-count off for all
/help, help, ?             this help; + help asks for the word "help"
/quit                      leave, as does Ctrl-D; Ctrl-C cancels a line or an answer
Tab completes words; the arrow keys recall earlier lines."""
COMMANDS = ("/similarity", "/odd", "/top", "/method", "/restrict", "/min-count", "/help", "/quit")
_HELP_WORDS = ("help", "?")
_OFF = "off"
_PROPOSALS = 100


class Quit(Exception):  # noqa: N818  no error
    """The user asked to leave."""


class AskSession:
    """Answers lines, and keeps the options that the user sets."""

    def __init__(self, word_vectors: "KeyedVectors", search: "Search") -> None:
        self._word_vectors = word_vectors
        self.search = search

    def reply(self, line: str) -> None:
        """Write the answer to a line.

        Raises:
            Quit: if the line asks to leave.
            W2vError: if there is no answer.
        """
        line = line.strip()
        if not line:
            return
        name, _, rest = line.partition(" ")
        if line.startswith("/") and line not in self._word_vectors:
            self._run(name, rest.strip())
        elif line in _HELP_WORDS:
            console.write(HELP)
        elif " :: " in line:
            self._complete_analogy(line)
        else:
            self._ask(line)

    def propose(self, typed: str, begins_line: bool) -> list[str]:  # noqa: FBT001  as readline's callers have it
        """Return the words that begin with what was typed, and the commands if it begins the line."""
        commands = [command for command in COMMANDS if command.startswith(typed)] if begins_line and typed else []
        return commands + self._word_vectors.starting_with(typed, _PROPOSALS)

    def _ask(self, line: str) -> None:
        from w2v_cli.queries import answer_all, parse_sum

        try:
            [answers] = answer_all(self._word_vectors, [parse_sum(line, self._word_vectors.__contains__)], self.search)
        except UnknownWordError as error:
            if error.word == line and (hint := _hint_for_several(line.split())):
                message = f"{error.message} {hint}"
                raise UnknownWordError(message, word=error.word, suggestions=error.suggestions) from error
            raise
        self._show(answers)

    def _complete_analogy(self, line: str) -> None:
        from w2v_cli.queries import Sum, answer_all

        pair, _, c = line.partition(" :: ")
        a, colon, b = pair.partition(" : ")
        if not colon or " :: " in c or not all((a.strip(), b.strip(), c.strip())):
            raise ConfigError(f"{line!r} is not an analogy: write it as 'king : man :: queen'.")
        [answers] = answer_all(self._word_vectors, [Sum.of_analogy(a.strip(), b.strip(), c.strip())], self.search)
        self._show(answers)

    def _show(self, answers: "list[Neighbour]") -> None:
        tables.show_neighbours(answers, score_name="similarity" if self.search.method == "add" else "score")

    def _run(self, name: str, rest: str) -> None:
        """Run a command."""
        commands: dict[str, Callable[[str], None]] = {
            "/similarity": self._measure,
            "/odd": self._find_odd,
            "/top": lambda text: self._change(top=_number(text)),
            "/method": lambda text: self._change(method=text),
            "/restrict": lambda text: self._change(restrict=None if text == _OFF else _number(text)),
            "/min-count": self._limit_counts,
            "/help": lambda _: console.write(HELP),
            "/quit": _quit,
        }
        if name not in commands:
            raise ConfigError(f"no such command: {name}; /help lists them.")
        commands[name](rest)

    def _measure(self, rest: str) -> None:
        from w2v_cli.queries import parse_sum, similarity

        words = split_words(rest)
        if len(words) != 2:  # noqa: PLR2004  a pair
            raise ConfigError("/similarity takes two words: /similarity king queen")
        a, b = (parse_sum(word, self._word_vectors.__contains__) for word in words)
        console.write(f"{similarity(self._word_vectors, a, b):.4f}")

    def _find_odd(self, rest: str) -> None:
        from w2v_cli.queries import odd_one_out

        tables.show_neighbours(odd_one_out(self._word_vectors, split_words(rest)), score_name="similarity")

    def _limit_counts(self, text: str) -> None:
        if text != _OFF and self._word_vectors.counts is None:
            raise ConfigError("these vectors have no counts: use /restrict instead of /min-count.")
        self._change(min_count=None if text == _OFF else _number(text))

    def _change(self, **changes: Any) -> None:
        """Change options of the search; raise ConfigError, as Search does, for wrong values."""
        self.search = dataclasses.replace(self.search, **changes)


def _hint_for_several(words: list[str]) -> str:
    """Return how to ask about words typed side by side; nothing for a single word."""
    match words:
        case [a, b]:
            return f"To compare two words: /similarity {a} {b}"
        case [a, b, c]:
            return f"To ask for an analogy: {a} : {b} :: {c}"
        case [_, _, *_]:
            return f"To find the odd one out: /odd {' '.join(words)}"
    return ""


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{text!r} is not a whole number such as 20.")
    return int(text)


def _quit(_: str) -> None:
    raise Quit
