"""What `w2v ask` understands: questions, and commands that begin with a slash."""

import dataclasses
from typing import TYPE_CHECKING, Any

from w2v_cli.cli import console
from w2v_cli.errors import ConfigError, UnknownWordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from w2v_cli.queries import Neighbour, Search
    from w2v_cli.vectors import KeyedVectors

HELP = """\
king                       the words nearest to a word
king - man + woman         nearest to a sum of words: signs with spaces around
king : man :: queen        king is to man as queen is to …
/similarity king queen     their cosine, from -1 to 1
/odd dinner lunch war      the word that does not fit, and how well the others do
/top 20                    how many words are shown
/method add|mul|dot        how sums are scored (w2v similar --help)
/restrict 20000            only the most frequent words answer; /restrict off: all
/min-count 10              only words that occur so often answer; /min-count off: all
/help, help, ?             this; + help asks for the word
/quit                      the end, as is Ctrl-D; Ctrl-C gives up a line or an answer
Tab completes a word, the arrow keys bring earlier lines back."""
COMMANDS = ("/similarity", "/odd", "/top", "/method", "/restrict", "/min-count", "/help", "/quit")
_HELP_WORDS = ("help", "?")
_OFF = "off"
_PROPOSALS = 100


class Quit(Exception):  # noqa: N818  no error
    """The user has had enough."""


class Conversation:
    """Answers lines, and remembers how the user wants to be answered."""

    def __init__(self, word_vectors: "KeyedVectors", search: "Search") -> None:
        self._word_vectors = word_vectors
        self.search = search

    def reply(self, line: str) -> None:
        """Write the answer to a line; raise Quit where it asks for the end, and W2vError for what has no answer."""
        line = line.strip()
        if not line:
            return
        name, _, rest = line.partition(" ")
        if line.startswith("/") and line not in self._word_vectors:
            self._obey(name, rest.strip())
        elif line in _HELP_WORDS:
            console.write(HELP)
        elif " :: " in line:
            self._complete_analogy(line)
        else:
            self._ask(line)

    def propose(self, typed: str, begins_line: bool) -> list[str]:  # noqa: FBT001  as readline's callers have it
        """Return the commands, where a line begins, and the words that begin with what was typed."""
        commands = [command for command in COMMANDS if command.startswith(typed)] if begins_line and typed else []
        return commands + self._word_vectors.starting_with(typed, _PROPOSALS)

    def _ask(self, line: str) -> None:
        from w2v_cli.queries import answer_all, parse_sum  # noqa: PLC0415  NumPy is not needed for --help

        try:
            [answers] = answer_all(self._word_vectors, [parse_sum(line, self._word_vectors.__contains__)], self.search)
        except UnknownWordError as error:
            if error.word == line and (hint := _hint_of_several(line.split())):
                message = f"{error.message} {hint}"
                raise UnknownWordError(message, word=error.word, suggestions=error.suggestions) from error
            raise
        self._show(answers)

    def _complete_analogy(self, line: str) -> None:
        from w2v_cli.queries import Sum, answer_all  # noqa: PLC0415  NumPy is not needed for --help

        pair, _, c = line.partition(" :: ")
        a, colon, b = pair.partition(" : ")
        if not colon or " :: " in c or not all((a.strip(), b.strip(), c.strip())):
            raise ConfigError(f"{line!r} is no analogy: write it as 'king : man :: queen'.")
        [answers] = answer_all(self._word_vectors, [Sum.of_analogy(a.strip(), b.strip(), c.strip())], self.search)
        self._show(answers)

    def _show(self, answers: "list[Neighbour]") -> None:
        console.show_neighbours(answers, score_name="similarity" if self.search.method == "add" else "score")

    def _obey(self, name: str, rest: str) -> None:
        """Do what a command says."""
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
            raise ConfigError(f"there is no command {name}; /help shows what there is.")
        commands[name](rest)

    def _measure(self, rest: str) -> None:
        from w2v_cli.cli.question_lines import split_words  # noqa: PLC0415
        from w2v_cli.queries import parse_sum, similarity  # noqa: PLC0415  NumPy is not needed for --help

        words = split_words(rest)
        if len(words) != 2:  # noqa: PLR2004  a pair
            raise ConfigError("/similarity takes two words: /similarity king queen")
        a, b = (parse_sum(word, self._word_vectors.__contains__) for word in words)
        console.write(f"{similarity(self._word_vectors, a, b):.4f}")

    def _find_odd(self, rest: str) -> None:
        from w2v_cli.cli.question_lines import split_words  # noqa: PLC0415
        from w2v_cli.queries import odd_one_out  # noqa: PLC0415  as above

        console.show_neighbours(odd_one_out(self._word_vectors, split_words(rest)), score_name="similarity")

    def _limit_counts(self, text: str) -> None:
        if text != _OFF and self._word_vectors.counts is None:
            raise ConfigError("these vectors have no counts, so /min-count chooses nothing.")
        self._change(min_count=None if text == _OFF else _number(text))

    def _change(self, **changes: Any) -> None:
        """Answer otherwise from now on; raise ConfigError, as Search does, for what cannot be."""
        self.search = dataclasses.replace(self.search, **changes)


def _hint_of_several(words: list[str]) -> str:
    """Return how to ask about several words, where somebody has typed them side by side; nothing for one."""
    match words:
        case [a, b]:
            return f"/similarity {a} {b} compares two words."
        case [a, b, c]:
            return f"An analogy is written '{a} : {b} :: {c}'."
        case [_, _, *_]:
            return f"/odd {' '.join(words)} finds the one that does not fit."
    return ""


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{text!r} is no whole number: write it as 20.")
    return int(text)


def _quit(_: str) -> None:
    raise Quit
