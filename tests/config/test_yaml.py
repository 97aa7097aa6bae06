"""Our reading of YAML: plain data with places, and every problem of form found."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from w2v_cli.config.resolve import resolve
from w2v_cli.config.yaml import read_scalar, read_yaml
from w2v_cli.errors import ConfigError


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Return a function that reads a text as the file `my.yaml`."""
    monkeypatch.chdir(tmp_path)
    path = Path("my.yaml")

    def read_text(contents):
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return read_yaml(path)

    return read_text


BAD_FORMS = {
    "a: 1\na: [*x, !t y]\n": [
        "my.yaml:2:1 a: given twice, first in line 1",
        "my.yaml:2:5 a.0: the alias *x is not supported; write its value out",
        "my.yaml:2:9 a.1: the tag !t is not supported; remove it",
    ],
    "a: 1\nb: {a: 1}\na: 2\na: 3\n": [
        "my.yaml:3:1 a: given twice, first in line 1",
        "my.yaml:4:1 a: given twice, first in line 1",
    ],
    "? [a]\n: 3\n": ["my.yaml:1:3 a key must be plain text"],
    "model: &x {dim: 3}\ntraining: *x\n": [
        "my.yaml:1:8 model: the anchor &x is not supported; remove it",
        "my.yaml:2:11 training: the alias *x is not supported; write its value out",
    ],
    "model: {dim: !!python/object:os.system 3}\noutput: {path: !secret x}\n": [
        "my.yaml:1:14 model.dim: the tag !!python/object:os.system is not supported; remove it",
        "my.yaml:2:16 output.path: the tag !secret is not supported; remove it",
    ],
    "&x training: {epochs: 3}": ["my.yaml:1:1 ?: the anchor &x is not supported; remove it"],
    "model: {dim: 3}\n---\nmodel: {dim: 4}\n": ["my.yaml:2:1 a second document starts; only one per file is supported"],
    "%YAML 1.1\n---\nmodel:\n": ["my.yaml:1:1 directives (%) are not supported; remove the line"],
    "[" * 10_000: ["my.yaml:1:22 nested deeper than 20 levels"],
    "a: " + "{a: " * 10_000: ["my.yaml:1:84 nested deeper than 20 levels"],
    "model:\n\tdim: 3\n": [
        "my.yaml:2:1 YAML syntax: found character '\\t' that cannot start any token; indent with spaces, not tabs",
    ],
    "model:\n  dim: 3\n window: 3\n": [
        (
            "my.yaml:3:2 YAML syntax: expected <block end>, but found '<block mapping start>'"
            " while parsing a block mapping that started in line 1; check the indentation"
        ),
    ],
    "model: 'cbow\n": [
        "my.yaml:2:1 YAML syntax: found unexpected end of stream while scanning a quoted scalar that started in line 1",
    ],
    "model: {dim: 3": ["my.yaml:1:15 YAML syntax: expected ',' or '}', but got '<stream end>'"],
    "model:\n  dim: \x01\n": ["my.yaml:2:8 YAML syntax: the character U+0001 is not allowed"],
    'model: "\\U00110000"': ["my.yaml:1:6 YAML syntax: an escape after this place is not a valid character"],
    'model: "\\Uffffffff"': ["my.yaml:1:6 YAML syntax: an escape after this place is not a valid character"],
    b"model:\n  dim: \xff\n": ["my.yaml:2 is not UTF-8 (byte 0xff); save it as UTF-8."],
    "model:\n".encode("utf-16"): ["my.yaml:1 is not UTF-8 (byte 0xff); save it as UTF-8."],
    b"#" * 200_001: ["my.yaml is too long for a config: more than 200,000 bytes."],
}


@pytest.mark.parametrize(("text", "expected"), BAD_FORMS.items())
def test_a_wrong_form_is_explained(read, text, expected):
    """A YAML text of a wrong form is refused with the line and column of each problem, from top to bottom."""
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value).splitlines() == expected


def test_reading_gives_plain_data(read):
    """A file's contents are dicts with text keys, lists and scalars; quoted and block scalars are text."""
    contents = read("a: [1, {b: ~}, [x]]\n2: 'no'\n'3': |\n  text\n")

    assert contents == {"a": [1, {"b": None}, ["x"]], "2": "no", "3": "text\n"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_an_empty_file_holds_none(read, text):
    """Nothing, a comment, a bare document and a byte order mark read as None."""
    assert read(text) is None


def test_aliases_are_never_multiplied(read):
    """A billion-laughs file ends in a problem per anchor and alias, the first 40, at once and not in memory."""
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]

    with pytest.raises(ConfigError) as caught:
        read("\n".join(lines))

    *told, rest = str(caught.value).splitlines()
    assert len(told) == 40
    assert rest == f"… and {39 * 9} more problems"


@pytest.mark.parametrize(
    ("text", "value"),
    [("+7", 7), ("0o17", 15), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("~", None), ("TRUE", True)]
    + [(text, text) for text in ("yes", "on", "1_000", "1:30", "0b11", "08", "e3", ".", "9" * 5000, "2001-01-01")],
)
def test_scalars_follow_yaml_1_2(text, value):
    """Only YAML 1.2's core forms are more than text; sexagesimals, underscores and leading zeros are text."""
    scalar = read_scalar(text)

    assert (scalar, type(scalar)) == (value, type(value))


@hypothesis_settings(deadline=None)  # a loaded machine may pause any example
@given(st.text(st.sampled_from("ab:-[]{},'\"\\&*!|>%#? \n\t\x00\x85é😀~<@") | st.characters(), max_size=40))
def test_no_text_is_a_crash(tmp_path_factory, text):
    """Whatever a file holds, the answer is a config or a ConfigError whose lines each begin with the file's name."""
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    lines = []
    try:
        resolve(file=file)
    except ConfigError as error:
        lines = str(error).split("\n")

    assert all(line.startswith(str(file)) for line in lines)
