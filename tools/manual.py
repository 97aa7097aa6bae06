"""The man page, made from the help texts of the commands."""

from collections.abc import Iterable

from click import Command

from command_help import (
    Examples,
    all_commands,
    command_group,
    exit_codes,
    is_option,
    paragraphs,
)
from w2v_cli import __version__
from w2v_cli.cli.help import parameter_help, parameter_name

ENVIRONMENT = {
    "W2V_DATA_DIR": "Folder of downloads; otherwise the platform's for a user's data, ~/.local/share/w2v on Linux.",
    "W2V_SECTION__KEY": "Any setting, as W2V_TRAINING__EPOCHS=3; `w2v config show --origin` says what it does.",
    "NO_COLOR": "Where it is set, nothing has colour.",
}
FILES = {
    "w2v.safetensors": "The vectors that train writes and the questions are asked of, unless told otherwise.",
    "w2v.safetensors.snapshot": "Beside them, the state of their training, for train --resume.",
}


def manual_page() -> str:
    """Return the man page, in roff."""
    group = command_group()
    summary, details = _roff_paragraphs(str(group.help))
    lines = [f'.TH W2V 1 "" "w2v {__version__}" "User Commands"']
    lines += [".SH NAME", f"w2v \\- {_escape(summary[0].lower() + summary[1:].rstrip('.'))}"]
    lines += [".SH SYNOPSIS", ".B w2v", r'.RI [ option ...] " " command " " [ argument ...]']
    lines += [".SH DESCRIPTION", _escape(summary), *details, *_options(group)]
    lines += [".SH COMMANDS"]
    for name, command in sorted(all_commands(group).items()):
        arguments = [parameter_name(parameter) for parameter in command.params if not is_option(parameter)]
        summary, details = _roff_paragraphs(str(command.help))
        lines += [f".SS {_escape(' '.join([name, '[OPTIONS]', *arguments]))}", _escape(summary), *details]
        lines += _options(command)
    lines += [".SH ENVIRONMENT", *_tagged(ENVIRONMENT.items()), ".SH FILES", *_tagged(FILES.items())]
    lines += [".SH EXIT STATUS", *_tagged(exit_codes(group))]
    return "\n".join(lines) + "\n"


def _roff_paragraphs(text: str) -> tuple[str, list[str]]:
    """Return the summary of a help text, plain, and its other paragraphs in roff."""
    summary, details = paragraphs(text)
    lines: list[str] = []
    for paragraph in details:
        if isinstance(paragraph, Examples):
            lines += [".PP", _escape(paragraph.title), ".PP", ".EX", *map(_escape, paragraph.lines), ".EE"]
        else:
            lines += [".PP", _escape(paragraph)]
    return summary, lines


def _options(command: Command) -> list[str]:
    """Return the arguments and options of a command, in roff; in our own words, which no version of Typer changes."""
    return _tagged((parameter_name(parameter), parameter_help(parameter)) for parameter in command.params)


def _tagged(records: Iterable[tuple[str, str]]) -> list[str]:
    return [line for name, text in records for line in (".TP", f".B {_escape(name)}", _escape(" ".join(text.split())))]


def _escape(text: str) -> str:
    """Return text as roff shows it: backslashes and hyphens as they are, no line a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
