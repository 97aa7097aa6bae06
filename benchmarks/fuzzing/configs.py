"""Cases for what settings come from: YAML files, `--set`, the environment, and names that a user types."""

import random
from pathlib import Path
from typing import Any

from fuzzing.mutations import TOKENS, chance, mutate, random_bytes
from fuzzing.reading import Case, Reader
from w2v_cli.config import resolve
from w2v_cli.config.schema import FIELDS, SECTIONS, Config
from w2v_cli.config.types import parse_interval, parse_seconds
from w2v_cli.config.yaml import read_yaml

_SHIPPED = tuple(path.read_bytes() for path in sorted((Path(__file__).parents[2] / "configs").glob("*.yaml")))
_NAMES = tuple(key.partition(".")[2] for key in FIELDS)
_VALUES = (
    *(
        "3",
        "-1",
        "0",
        "1e-3",
        "1e400",
        "-.inf",
        ".nan",
        "0x10",
        "0o17",
        "017",
        "1_000",
        "true",
        "no",
        "null",
        "~",
        "",
        "''",
    ),
    *(
        '"3"',
        '"\\u0000"',
        '"\\x1b[2J"',
        '"\\U00110000"',
        "[a, b]",
        "[[]]",
        "{a: b}",
        "{",
        "[",
        "]",
        "- a",
        "|\n  x",
        ">-\n  x",
    ),
    *(
        "&a b",
        "*a",
        "!!python/object/apply:os.system [x]",
        "!!int '3'",
        "!x y",
        "? a",
        ": ",
        "# x",
        "%YAML 1.2",
        "---",
        "...",
    ),
    *(
        "words",
        "regex",
        "punctuation",
        "auto",
        "10m",
        "5w",
        "never",
        "a" * 300,
        "'(a'",
        "'[[a]'",
        "'(?i)x'",
        "'a{99999999999}'",
    ),
    *(
        "'" + "(" * 3000 + "'",
        "<<: *a",
        "2024-01-01",
        "12:30:45",
        "=",
        "@x",
        "`x`",
        "'\n\n'",
        "9" * 5000,
        "1." + "0" * 60,
    ),
)
_YAML_TOKENS = (
    *TOKENS,
    *(value.encode() for value in (*_VALUES, *SECTIONS, *_NAMES)),
    b"\n  ",
    b"\n",
    b": ",
    b"- ",
    b"  ",
)


def _make_yaml(rng: random.Random) -> Case:
    """Draw a config: a shipped one, one of random settings, or one of odd nesting; damaged. And other sources."""
    match rng.randrange(10):
        case 0:
            data = random_bytes(rng)
        case 1:
            data = _nested(rng)
        case 2 | 3:
            data = rng.choice(_SHIPPED)
        case _:
            data = _settings_text(rng)
    if chance(rng, 0.7):
        data = mutate(rng, data, _YAML_TOKENS)
    sets = [_assignment(rng) for _ in range(rng.choice((0, 0, 1, 3)))]
    environment = dict(_variable(rng) for _ in range(rng.choice((0, 0, 2))))
    return Case(data, {"sets": sets, "environment": environment})


def _settings_text(rng: random.Random) -> bytes:
    """Return sections with settings and values that mostly do not fit."""
    lines = []
    for section in rng.sample(SECTIONS, rng.randrange(1, len(SECTIONS) + 1)):
        lines.append(f"{section}:{rng.choice(('', '', '', ' {', ' x'))}")
        lines += [f"  {rng.choice(_NAMES)}: {rng.choice(_VALUES)}" for _ in range(rng.randrange(6))]
    if chance(rng, 0.2):
        rng.shuffle(lines)
    return "\n".join(lines).encode()


def _nested(rng: random.Random) -> bytes:
    """Return YAML of great depth, width or length."""
    begin = rng.choice(
        ("[", "{a: ", "- ", "? ", "{", "[{", "a: &a [*a, ", "- - ", "!!a ", "&a ", "*a ", "a: {b: ", "'", "|\n")
    )
    opened = begin * rng.choice((1, 5, 19, 21, 100, 3000))
    line = rng.choice(
        ("a: b\n", "k{}: 1\n", "x{}:\n  y: *z\n", "- {}\n", "corpus:\n  a{}: 1\n", "? - {}\n", "# {}\n", "&a{} b: c\n")
    )
    many = "".join(line.replace("{}", str(number)) for number in range(rng.choice((0, 1, 10, 200, 2000))))
    return (opened + many if chance(rng, 0.5) else many + opened).encode()


def _assignment(rng: random.Random) -> str:
    """Return what may stand after --set: a key that there is or nearly, and a value."""
    odd = (*_NAMES, "corpus", "", "training.epoch", "x" * 5000, "a.b.c", "\n", "\x1b[2J")
    return rng.choice((*FIELDS, *FIELDS, *odd)) + rng.choice(("=", "=", "=", " = ", "")) + _value(rng)


def _variable(rng: random.Random) -> tuple[str, str]:
    """Return a variable of the environment, which holds no NUL."""
    key = rng.choice((*FIELDS, "training.epoch", "x." + "y" * 3000, "data_dir"))
    return f"W2V_{key.replace('.', '__').upper()}", _value(rng).replace("\0", "")


def _value(rng: random.Random) -> str:
    return rng.choice(_VALUES) if chance(rng, 0.8) else mutate(rng, b"3").decode("utf-8", "surrogateescape")


def _read_yaml(case: Case, folder: Path) -> None:
    """Resolve the config of all sources; what comes out is valid as JSON, too."""
    path = folder / "my.yaml"
    path.write_bytes(case.data)
    try:
        resolved = resolve.resolve(file=path, sets=case.settings["sets"], environment=case.settings["environment"])
        _use(resolved.config)
    finally:
        path.unlink()


def _use(found: Config) -> None:
    """Assert that a config outlives JSON, and that its times mean something."""
    assert Config.model_validate_json(found.model_dump_json()) == found  # noqa: S101  a finding
    parse_interval(found.output.snapshot_every)
    if found.training.time_limit is not None:
        parse_seconds(found.training.time_limit)


def _make_table(rng: random.Random) -> Case:
    return Case(_make_yaml(rng).data)


def _read_table(case: Case, folder: Path) -> None:
    """Read any YAML as plain data."""
    path = folder / "table.yaml"
    path.write_bytes(case.data)
    try:
        _check_plain(read_yaml(path))
    finally:
        path.unlink()


def _check_plain(value: Any) -> None:
    """Assert that a value is plain data."""
    assert type(value) in (dict, list, str, int, float, bool, type(None)), type(value)  # noqa: S101
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_plain(item)


READERS = (
    Reader("yaml", _make_yaml, _read_yaml),
    Reader("table", _make_table, _read_table),
)
