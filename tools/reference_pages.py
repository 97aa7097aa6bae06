"""Pages of docs/reference that the program describes itself: the command line, and the settings."""

import json
import re

from click import Parameter

from command_help import Examples, all_commands, command_group, is_option, paragraphs
from w2v_cli.cli.help import parameter_help, parameter_name, usage_name
from w2v_cli.config.schema import describe_settings

COMMAND_LINE_HEAD = """\
# Command line

```text
w2v COMMAND [OPTIONS] [ARGUMENTS]
```

`w2v COMMAND --help` shows the same as this page, and `man w2v` all of it. Values in brackets are defaults. Options may
stand before or after the arguments. `--` ends the options: what follows is a word, even if it begins with a dash.

Options of `w2v` itself stand before the command:
"""

SETTINGS_HEAD = """\
# Settings

Everything that decides how `w2v train` works is a setting with a name such as `training.epochs`. Settings come from six
places. The first that says something wins:

1. an option: `--epochs 3`
2. `--set training.epochs=3`
3. the environment: `W2V_TRAINING__EPOCHS=3`, in capitals with two underscores between section and name
4. a YAML file: `--config my.yaml`, or a shipped one by its name
5. what a named corpus such as `ptb` asks for
6. the default

`w2v config show` prints the settings that `train` would have with the same arguments, as YAML for `--config`;
`--origin` says where each comes from. All problems of a config are reported at once, with line and column.

Three configs are shipped: `configs/default.yaml`, a file to copy from, with a comment on each setting;
`configs/book-cbow.yaml` and `configs/book-skipgram.yaml`, the recipe of *Deep Learning from Scratch 2*
([more](../tutorial/from-the-book.md)). `--config` takes their names, such as `book-cbow`.

In Python, settings are keywords of [`w2v_cli.train`](python.md#w2v_cli.train) by their last name: `epochs=3`.
"""


def command_line_page() -> str:
    """Return docs/reference/command-line.md: every command, argument and option."""
    group = command_group()
    lines = [COMMAND_LINE_HEAD, *_parameters(group.params)]
    for name, command in all_commands(group).items():
        arguments = [usage_name(parameter) for parameter in command.params if not is_option(parameter)]
        summary, details = paragraphs(str(command.help))
        lines += ["", f"## {name}", "", _escape(summary), "", "```text", " ".join([name, "[OPTIONS]", *arguments])]
        lines += ["```", "", *_parameters(command.params)]
        for paragraph in details:
            if isinstance(paragraph, Examples):
                lines += ["", paragraph.title, "", "```text", *_dedented(paragraph.lines), "```"]
            else:
                lines += ["", _escape(paragraph)]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return docs/reference/settings.md: every setting, section by section."""
    lines = [SETTINGS_HEAD.rstrip("\n")]
    section = ""
    for setting in describe_settings():
        if setting.key.split(".")[0] != section:
            section = setting.key.split(".")[0]
            lines += ["", f"## {section}", "", "| key | default | allowed | meaning |", "|---|---|---|---|"]
        default = f"`{json.dumps(setting.default, ensure_ascii=False)}`"
        cells = (f"`{setting.key}`", default, _escape(setting.allowed), _escape(setting.description))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _parameters(parameters: list[Parameter]) -> list[str]:
    """Return arguments and options as a list, one line for the name and one for what it means."""
    lines: list[str] = []
    for parameter in parameters:
        lines += [f"- `{parameter_name(parameter)}`", f"  <br>{_escape(parameter_help(parameter))}"]
    return lines


def _dedented(lines: list[str]) -> list[str]:
    kept = [line for line in lines if line.strip()]
    margin = min(len(line) - len(line.lstrip()) for line in kept)
    return [line[margin:] for line in kept]


def _escape(text: str) -> str:
    r"""Return text as Markdown shows it.

    >>> _escape("a <file> of *.txt")
    'a &lt;file> of \\*.txt'
    """
    return re.sub(r"(`[^`]*`)|([*_|\\])|<", lambda found: found[1] or (f"\\{found[2]}" if found[2] else "&lt;"), text)
