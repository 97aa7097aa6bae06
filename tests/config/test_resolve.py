"""Config: YAML, environment, `--set` and options become one checked config, or one message with every problem."""

import subprocess
import sys
from pathlib import Path

import pytest

from w2v_cli.config.resolve import resolve
from w2v_cli.config.schema import Config
from w2v_cli.errors import ConfigError


@pytest.fixture
def my_yaml(tmp_path, monkeypatch):
    """Return a function that writes `my.yaml` into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(contents):
        path = Path("my.yaml")
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    return write


def problems_of(**given_sources):
    """Return the lines of the ConfigError that the sources end in."""
    with pytest.raises(ConfigError) as caught:
        resolve(**given_sources)
    return str(caught.value).splitlines()


BAD_PATTERN = "my.yaml:1:25 corpus.token_pattern: must be a regular expression"
BAD_VALUES = {
    "training:\n  epochs: 5\n  decay: linear\n  learning_rate: -0.1\n": [
        "my.yaml:4:18 training.learning_rate: must be above 0 and at most 10 or null, was -0.1"
    ],
    "training: {learning_rate: 0}": [
        "my.yaml:1:27 training.learning_rate: must be above 0 and at most 10 or null, was 0"
    ],
    "training: {learning_rate: 10.5}": [
        "my.yaml:1:27 training.learning_rate: must be above 0 and at most 10 or null, was 10.5"
    ],
    "model: {dim: 0}": ["my.yaml:1:14 model.dim: must be from 1 to 10000, was 0"],
    "sampling: {seed: 18446744073709551616}": [
        f"my.yaml:1:18 sampling.seed: must be from 0 to {2**64 - 1}, was {2**64}",
    ],
    "sampling: {subsample: .nan}": ["my.yaml:1:23 sampling.subsample: must be from 0 to 1, was nan"],
    "sampling: {exponent: -.inf}": ["my.yaml:1:22 sampling.exponent: must be from 0 to 1, was -inf"],
    "sampling: {exponent: 1e999}": ["my.yaml:1:22 sampling.exponent: must be from 0 to 1, was inf"],
    "training: {epochs: three}": ["my.yaml:1:20 training.epochs: must be a whole number, was 'three'"],
    "training: {epochs: '3'}": ["my.yaml:1:20 training.epochs: must be a whole number, was '3'"],
    "training: {epochs: 3.0}": ["my.yaml:1:20 training.epochs: must be a whole number, was 3.0"],
    "training: {epochs: 012}": ["my.yaml:1:20 training.epochs: must be a whole number, was '012'"],
    "training: {epochs: true}": ["my.yaml:1:20 training.epochs: must be a whole number, was true"],
    "training:\n  epochs:\n": ["my.yaml:2:3 training.epochs: must be a whole number, was null"],
    "training: {epochs: [3]}": ["my.yaml:1:20 training.epochs: must be a whole number, was a list"],
    "training: {epochs: {a: 3}}": ["my.yaml:1:20 training.epochs: must be a whole number, was a mapping"],
    "sampling: {exponent: true}": ["my.yaml:1:22 sampling.exponent: must be a number, was true"],
    "model: {shrink_window: no}": ["my.yaml:1:24 model.shrink_window: must be true or false, was 'no'"],
    "model: {model: cbwo}": ["my.yaml:1:16 model.model: must be cbow or skipgram, was 'cbwo'"],
    "corpus: {source: 3}": ["my.yaml:1:18 corpus.source: must be text or a list of texts, was 3"],
    "corpus: {source: []}": ["my.yaml:1:18 corpus.source: must be text or a list of texts, was a list"],
    "corpus: {source: [a, 1]}": ["my.yaml:1:18 corpus.source: must be text or a list of texts, was a list"],
    "corpus: {source: ''}": ["my.yaml:1:18 corpus.source: must be a usable file name, was empty"],
    "corpus: {source: ['']}": ["my.yaml:1:18 corpus.source: must be a usable file name, was empty"],
    "corpus: {source: [a, '']}": [
        "my.yaml:1:18 corpus.source: must be a usable file name, was a list with an empty text",
    ],
    "corpus: {token_pattern: '(a'}": [
        f"{BAD_PATTERN} (missing ), unterminated subpattern at position 0), was '(a'",
    ],
    "corpus: {token_pattern: '[[a]'}": [
        f"{BAD_PATTERN} (Possible nested set at position 1), was '[[a]'",
    ],
    "corpus: {token_pattern: 'a{99999999999}'}": [
        f"{BAD_PATTERN} (the repetition number is too large), was 'a{{99999999999}}'",
    ],
    "corpus: {end_of_line: a b}": ["my.yaml:1:23 corpus.end_of_line: must be one word without spaces, was 'a b'"],
    "output: {path: ''}": ["my.yaml:1:16 output.path: must be a usable file name, was empty"],
    'output: {path: "a\\0b"}': ["my.yaml:1:16 output.path: must be a usable file name, was 'a\\x00b'"],
}

BAD_KEYS = {
    "- training\n": [
        "my.yaml:1:1 must consist of sections (corpus, model, sampling, training, cluster, output) with settings",
    ],
    "%YAML 1.1\n---\nepochs: 3\n": ["my.yaml:1:1 directives (%) are not supported; remove the line"],
    b"model:\n  dim: \xff\n": ["my.yaml:2 is not UTF-8 (byte 0xff); save it as UTF-8."],
    "training: {epochz: 3}": ["my.yaml:1:12 training.epochz: unknown setting; did you mean training.epochs?"],
    "training: {window: 3}": ["my.yaml:1:12 training.window: unknown setting; did you mean model.window?"],
    "training: {xyz: 3}": ["my.yaml:1:12 training.xyz: unknown setting; docs/reference/settings.md lists them all"],
    "trainng: {epochs: 3}": ["my.yaml:1:1 trainng: unknown section; did you mean training?"],
    "epochs: 3": ["my.yaml:1:1 epochs: unknown setting; did you mean training.epochs?"],
    "training.epochs: 3": ["my.yaml:1:1 training.epochs: move epochs into the section training"],
    "training: 3": ["my.yaml:1:11 training: is a section; write its settings below it, indented"],
    "? [a]\n: 3\n": ["my.yaml:1:3 a key must be plain text"],
    '"a\\nb\\e[31m": 3': [
        "my.yaml:1:1 a\\nb\\x1b[31m: unknown setting; docs/reference/settings.md lists them all",
    ],
    "training:\n  epochs: 3\n  dim: 1\n  epochs: 4\n  epochs: 5\n": [
        "my.yaml:3:3 training.dim: unknown setting; did you mean model.dim?",
        "my.yaml:4:3 training.epochs: given twice, first in line 2",
        "my.yaml:5:3 training.epochs: given twice, first in line 2",
    ],
    "model:\n  dim: 3\nmodel:\n  window: 0\n": [
        "my.yaml:3:1 model: given twice, first in line 1",
        "my.yaml:4:11 model.window: must be from 1 to 1000, was 0",
    ],
}


@pytest.mark.parametrize(("text", "expected"), [*BAD_VALUES.items(), *BAD_KEYS.items()])
def test_wrong_yaml_is_explained(my_yaml, text, expected):
    """A wrong value, key or form is reported in plain words with its file, line and column."""
    file = my_yaml(text)

    assert problems_of(file=file) == expected


def test_all_problems_are_reported_at_once(my_yaml):
    """Problems of every source come together, the strongest source first, those of a file from top to bottom."""
    file = my_yaml("model:\n  dim: 0\ntraining:\n  epochs: 1\n  epochs: -1\n  decay: &a linear\n")

    assert problems_of(
        file=file,
        options={"training.epochs": ("--epochs", 0)},
        sets=["training.epochs", "sampling.sede=3", "sampling.seed=x"],
        environment={"W2V_MODEL__DIM": "3.5", "W2V_MODEL__DIMM": "3"},
    ) == [
        "--epochs: must be from 1 to 100000, was 0",
        "--set training.epochs: must be KEY=VALUE, such as --set training.epochs=3",
        "--set sampling.sede: unknown setting; did you mean sampling.seed?",
        "--set sampling.seed: must be a whole number, was 'x'",
        "W2V_MODEL__DIM: must be a whole number, was 3.5",
        "W2V_MODEL__DIMM: unknown setting; did you mean W2V_MODEL__DIM?",
        "my.yaml:2:8 model.dim: must be from 1 to 10000, was 0",
        "my.yaml:5:3 training.epochs: given twice, first in line 4",
        "my.yaml:5:11 training.epochs: must be from 1 to 100000, was -1",
        "my.yaml:6:10 training.decay: the anchor &a is not supported; remove it",
    ]


def test_a_hidden_value_is_checked_too(my_yaml):
    """A wrong value in a file is reported even where an option hides it."""
    file = my_yaml("model: {dim: 0}")

    assert problems_of(file=file, options={"model.dim": ("--dim", 3)}) == [
        "my.yaml:1:14 model.dim: must be from 1 to 10000, was 0"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "training:\n", "training: {}\n", "\ufeff"])
def test_a_file_without_settings_gives_the_defaults(my_yaml, text):
    """An empty file, an empty section and a byte order mark say nothing."""
    file = my_yaml(text)

    assert resolve(file=file).config == Config()


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_an_unreadable_file_is_a_config_problem(my_yaml, name):
    """A file that is missing, or a folder, is reported with its name beside the other problems."""
    my_yaml("")

    file_problem, set_problem = problems_of(file=Path(name), sets=["a.b=c"])[::-1]

    assert file_problem.startswith(f"cannot read the config {name}: ")
    assert set_problem.startswith("--set a.b: unknown setting")


LAYERS = [
    ("--dim", {"options": {"model.dim": ("--dim", 11)}}, 11),
    ("--set", {"sets": ["model.dim=12"]}, 12),
    ("W2V_MODEL__DIM", {"environment": {"W2V_MODEL__DIM": "13"}}, 13),
    ("my.yaml:1:14", {"file": Path("my.yaml")}, 14),
    ("default", {}, 100),
]


@pytest.mark.parametrize("stronger", range(len(LAYERS)))
def test_a_stronger_source_wins(my_yaml, stronger):
    """An option beats `--set`, that the environment, that the file, that the default; the origin names the winner."""
    my_yaml("model: {dim: 14}")
    origin, _, value = LAYERS[stronger]
    all_from_here_on = {name: source for _, layer, _ in LAYERS[stronger:] for name, source in layer.items()}

    resolved = resolve(**all_from_here_on)

    assert (resolved.config.model.dim, resolved.origins["model.dim"]) == (value, origin)


def test_the_table_of_corpora_stands_between_file_and_default(my_yaml):
    """A corpus's own settings beat the defaults and yield to the file; the origin names the corpus."""
    file = my_yaml("corpus: {source: ptb, min_count: 3}")
    table = {"ptb": {"tokens": "whitespace", "min_count": 1}}

    resolved = resolve(file=file, corpus_settings_for=lambda source: (source, table[source]))

    assert (resolved.config.corpus.tokens, resolved.origins["corpus.tokens"]) == ("whitespace", "corpus ptb")
    assert (resolved.config.corpus.min_count, resolved.origins["corpus.min_count"]) == (3, "my.yaml:1:34")


@pytest.mark.parametrize(
    ("yaml", "source"),
    [("a.txt", "a.txt"), ("[a.txt]", "a.txt"), ("[a.txt, b/, s3://c/*.gz]", ("a.txt", "b/", "s3://c/*.gz"))],
)
def test_a_corpus_is_one_text_or_several(my_yaml, yaml, source):
    """A list in YAML, as several arguments of the command, are texts to be read one after the other; one is itself."""
    asked = []
    of_file = resolve(file=my_yaml(f"corpus: {{source: {yaml}}}"), corpus_settings_for=asked.append)
    texts = [source] if isinstance(source, str) else list(source)
    of_option = resolve(options={"corpus.source": ("CORPUS", texts)})

    assert of_file.config.corpus.source == of_option.config.corpus.source == source
    assert list(asked[0]) in (texts, list(texts[0]))


def test_importing_config_loads_no_yaml():
    """ruamel.yaml is imported when a file is read, not before."""
    code = "import sys, w2v_cli.config.resolve; sys.exit('ruamel.yaml' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
