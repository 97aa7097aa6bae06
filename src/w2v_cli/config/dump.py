"""A resolved config as YAML that `--config` reads back."""

import json
import re

from w2v_cli.config.resolve import ResolvedConfig
from w2v_cli.config.yaml import printable, read_scalar

_PLAIN = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)  # text that needs no quotes in YAML


def as_yaml(resolved: ResolvedConfig, *, with_origins: bool = False) -> str:
    """Return every setting as YAML, in the order of the sections.

    Args:
        resolved: The config and the origins of its values.
        with_origins: Whether a comment names the origin of each value.
    """
    lines = []
    for section, settings in resolved.config.model_dump(mode="json").items():
        lines.append(f"{section}:")
        values = {name: f"  {name}: {scalar(value)}" for name, value in settings.items()}
        if with_origins:
            longest = max(map(len, values.values()))
            values = {
                name: f"{line:<{longest}}  # {printable(resolved.origins[f'{section}.{name}'])}"
                for name, line in values.items()
            }
        lines += values.values()
    return "\n".join(lines)


def scalar(value: object) -> str:
    r"""Return a value as YAML writes it, on one line.

    >>> scalar(["a.txt", "yes: no"]), scalar(None), scalar("3"), scalar("a\x7f")
    ('[a.txt, "yes: no"]', 'null', '"3"', '"a\\x7f"')
    """
    if isinstance(value, list):
        return f"[{', '.join(map(scalar, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and read_scalar(value) == value:
        return value
    return printable(json.dumps(value, ensure_ascii=False))
