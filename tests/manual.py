"""The man page, made of what the commands say of themselves; tests/test_docs.py writes it to docs/man/w2v.1."""

import re

import typer

from w2v_cli import __version__
from w2v_cli.cli import app as cli

ENVIRONMENT = {
    "W2V_DATA_DIR": "Folder of downloads; otherwise the platform's for a user's data, ~/.local/share/w2v on Linux.",
    "W2V_SECTION__KEY": "Any setting, as W2V_TRAINING__EPOCHS=3; `w2v config show --origin` says what it does.",
    "NO_COLOR": "Where it is set, nothing has colour.",
}
FILES = {
    "w2v.safetensors": "The vectors that train writes and the questions are asked of, unless told otherwise.",
    "w2v.safetensors.snapshot": "Beside them, the state of their training, for train --resume.",
}


def manual_page():
    """Return the man page, in roff."""
    group = typer.main.get_command(cli.app)
    summary, details = _summary_and_details(group.help)
    lines = [f'.TH W2V 1 "" "w2v {__version__}" "User Commands"']
    lines += [".SH NAME", f"w2v \\- {_escape(summary[0].lower() + summary[1:].rstrip('.'))}"]
    lines += [".SH SYNOPSIS", ".B w2v", r'.RI [ option ...] " " command " " [ argument ...]']
    lines += [".SH DESCRIPTION", _escape(summary), *details, *_options(group)]
    lines += [".SH COMMANDS"]
    for name, command in sorted(_commands(group, "w2v").items()):
        arguments = [_name(parameter) for parameter in command.params if not _is_option(parameter)]
        summary, details = _summary_and_details(command.help)
        lines += [f".SS {_escape(' '.join([name, '[OPTIONS]', *arguments]))}", _escape(summary), *details]
        lines += _options(command)
    lines += [".SH ENVIRONMENT", *_tagged(ENVIRONMENT.items()), ".SH FILES", *_tagged(FILES.items())]
    codes = re.sub(r"\s+", " ", group.epilog.replace("\b", "").removeprefix("\n").partition(": ")[2])
    lines += [".SH EXIT STATUS", *_tagged(tuple(part.split(" ", 1)) for part in re.split(r", (?=\d)", codes))]
    return "\n".join(lines) + "\n"


def _commands(group, prefix):
    """Return all commands by what is typed for them, those of groups in place of the groups."""
    found = {}
    for name, command in group.commands.items():
        typed = f"{prefix} {name}"
        found |= _commands(command, typed) if hasattr(command, "commands") else {typed: command}
    return found


def _summary_and_details(text):
    """Return the first paragraph of a help text, and the others in roff: those that `\b` marks keep their lines."""
    summary, *others = re.split(r"\n\s*\n", text.strip())
    details = []
    for paragraph in others:
        if paragraph.startswith("\b"):
            title, *examples = paragraph.removeprefix("\b\n").split("\n")
            details += [".PP", _escape(title.strip()), ".PP", ".EX", *map(_escape, examples), ".EE"]
        else:
            details += [".PP", _escape(" ".join(paragraph.split()))]
    return " ".join(summary.split()), details


def _options(command):
    """Return the arguments and options of a command, in roff; in our own words, which no version of Typer changes."""
    return _tagged((_name(parameter), _help(parameter)) for parameter in command.params)


def _is_option(parameter):
    return parameter.opts[0].startswith("-")


def _name(parameter):
    """Return a parameter as it is typed: `-n, --top N`, `WORD...`."""
    value = "" if getattr(parameter, "is_flag", False) else parameter.metavar or parameter.name.strip("_").upper()
    return ", ".join(sorted(parameter.opts, key=len)) + f" {value}" * bool(value) if _is_option(parameter) else value


def _help(parameter):
    """Return what is said of a parameter, with its default where that is not told already."""
    is_told = parameter.default in (None, False) or "[" in parameter.help
    return parameter.help if is_told else f"{parameter.help} [{parameter.default}]"


def _tagged(records):
    return [line for name, text in records for line in (".TP", f".B {_escape(name)}", _escape(" ".join(text.split())))]


def _escape(text):
    """Return text as roff shows it: backslashes and hyphens as they are, no line a request."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
