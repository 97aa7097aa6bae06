"""Help texts of the commands: plain, options in groups, every default in one style."""

import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup

_NAME_COLUMNS = 24  # a longer name has a line to itself
_SHORT = 30  # characters of a default
_NO_BREAK = "\N{NO-BREAK SPACE}"
_OTHERS = "Options"  # the group of an option that names none

# Typer has its own copy of Click and does not export the types of contexts, formatters and parameters.
_Click = Any


class Command(TyperCommand):
    """A command whose help is laid out by this module."""

    def collect_usage_pieces(self, ctx: _Click) -> list[str]:
        """Return the words of the usage line."""
        return ["[OPTIONS]", *map(usage_name, _arguments(self, ctx))]

    def format_options(self, ctx: _Click, formatter: _Click) -> None:
        """Write the arguments and options."""
        _write_parameters(self, ctx, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002  the formatter wraps the line
        """Return the summary, whole."""
        return summary(self)


class Group(TyperGroup):
    """A command with commands of its own, whose help is laid out by this module."""

    def format_options(self, ctx: _Click, formatter: _Click) -> None:
        """Write the options, then the commands."""
        _write_parameters(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002  the formatter wraps the line
        """Return the summary, whole."""
        return summary(self)


def summary(command: _Click) -> str:
    """Return the first sentence of a command's help."""
    return " ".join((command.help or "").strip().split("\n\n")[0].split())


def parameter_name(parameter: _Click) -> str:
    """Return a parameter as it is typed: `-n, --top N`, `WORD...`."""
    if parameter.param_type_name == "argument":
        return _argument_name(parameter) + ("..." if parameter.nargs != 1 else "")
    value = "" if parameter.is_flag else f" {parameter.metavar}"
    return ", ".join(sorted(parameter.opts, key=len)) + value


def parameter_help(parameter: _Click) -> str:
    """Return what the help says of a parameter, its default last: `How many words to show. [default: 10]`."""
    text = " ".join((parameter.help or "").split())
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    is_told = default is not None and not isinstance(default, bool)
    return f"{text} [default: {default}]" if is_told else text


def _unbroken(text: str) -> str:
    """Return a help text with no-break spaces in a short default, so that it stays on one line."""
    rest, bracket, default = text.rpartition(" [default: ")
    return f"{rest} {(bracket + default)[1:].replace(' ', _NO_BREAK)}" if bracket and len(default) <= _SHORT else text


def options_by_group(parameters: list[_Click]) -> dict[str, list[_Click]]:
    """Return the options by the title of their group, groups and options in the order of their declaration."""
    groups: dict[str, list[_Click]] = {}
    for parameter in parameters:
        if parameter.param_type_name == "option" and not parameter.hidden:
            groups.setdefault(parameter.rich_help_panel or _OTHERS, []).append(parameter)
    if len(groups) > 1 and _OTHERS in groups:
        groups["Other options"] = groups.pop(_OTHERS)
    return groups


def _write_parameters(command: _Click, ctx: _Click, formatter: _Click) -> None:
    """Write the arguments, then the options group by group; the texts of all begin in the same column."""
    sections = {"Arguments": list(_arguments(command, ctx))} | options_by_group(command.get_params(ctx))
    names = [parameter_name(parameter) for parameters in sections.values() for parameter in parameters]
    width = max((len(name) for name in names if len(name) <= _NAME_COLUMNS), default=0)
    for title, parameters in sections.items():
        rows = [(parameter_name(one).ljust(width), _unbroken(parameter_help(one))) for one in parameters]
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows, col_max=width)
    formatter.buffer[:] = [text.replace(_NO_BREAK, " ") for text in formatter.buffer]


def _arguments(command: _Click, ctx: _Click) -> Iterator[_Click]:
    return (parameter for parameter in command.get_params(ctx) if parameter.param_type_name == "argument")


def _argument_name(parameter: _Click) -> str:
    return re.sub(r"\W+$", "", parameter.metavar or parameter.name.strip("_").upper())


def usage_name(parameter: _Click) -> str:
    """Return an argument in a usage line: `FILE`, `[CORPUS]...`."""
    name = _argument_name(parameter)
    return (name if parameter.required else f"[{name}]") + ("..." if parameter.nargs != 1 else "")
