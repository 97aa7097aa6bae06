"""The help texts of the commands, taken apart for the man page and the reference page."""

import re
from dataclasses import dataclass
from typing import cast

import typer
from click import Command, Group, Parameter

from w2v_cli.cli import app


@dataclass(frozen=True)
class Examples:
    """A paragraph whose lines are kept: a title, and lines such as commands to type."""

    title: str
    lines: list[str]


def command_group() -> Group:
    """Return the whole program as Click has it."""
    return cast("Group", typer.main.get_command(app.app))


def all_commands(group: Group, prefix: str = "w2v") -> dict[str, Command]:
    """Return the commands by what is typed for them; those of groups in place of the groups."""
    found: dict[str, Command] = {}
    for name, command in group.commands.items():
        typed = f"{prefix} {name}"
        is_group = hasattr(command, "commands")  # Typer's groups are no click.Group
        found |= all_commands(cast("Group", command), typed) if is_group else {typed: command}
    return found


def paragraphs(text: str) -> tuple[str, list[str | Examples]]:
    r"""Return the summary of a help text and its other paragraphs; those marked with `\b` keep their lines."""
    summary, *others = re.split(r"\n\s*\n", text.strip())
    details: list[str | Examples] = []
    for paragraph in others:
        if paragraph.startswith("\b"):
            title, *lines = paragraph.removeprefix("\b\n").split("\n")
            details.append(Examples(title.strip(), lines))
        else:
            details.append(" ".join(paragraph.split()))
    return " ".join(summary.split()), details


def is_option(parameter: Parameter) -> bool:
    """Return whether a parameter is an option and not an argument."""
    return parameter.opts[0].startswith("-")


def exit_codes(group: Group) -> list[tuple[str, str]]:
    """Return the exit codes that the program's help names, and what they mean."""
    text = re.sub(r"\s+", " ", str(group.epilog).replace("\b", "").removeprefix("\n").partition(": ")[2])
    pairs = (part.split(" ", 1) for part in re.split(r", (?=\d)", text))
    return [(code, meaning) for code, meaning in pairs]
