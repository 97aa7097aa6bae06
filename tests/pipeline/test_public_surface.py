"""What other people's code may rely on: the names of `w2v_cli`, and that each says its types and what it does."""

import inspect
import subprocess
import sys

import pytest

import w2v_cli

PARAMETERS = {
    "load": ["path"],
    "train": ["corpus", "texts", "output", "config", "resume", "on_event", "is_stop_wanted", "settings"],
}
METHODS = ["analogy", "dim", "odd", "of", "save", "similar", "similarity"]


def test_the_names_are_these():
    """A name that goes away, or comes, is a decision: it changes this list and the CHANGELOG."""
    assert sorted(w2v_cli.__all__) == [
        "ClusterError",
        "ConfigError",
        "CorpusError",
        "DivergedError",
        "DownloadError",
        "Event",
        "MissingDependencyError",
        "Neighbour",
        "OutputInUseError",
        "StorageError",
        "UnknownWordError",
        "VectorsError",
        "W2vError",
        "WordVectors",
        "__version__",
        "load",
        "train",
    ]
    assert set(w2v_cli.__all__) <= set(dir(w2v_cli))
    assert all(getattr(w2v_cli, name) is not None for name in w2v_cli.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tran'"):
        w2v_cli.tran  # noqa: B018


def test_every_error_class_is_exported():
    """A program can catch each failure by its class, or all of them as W2vError."""
    kinds = {
        kind
        for kind in vars(w2v_cli.errors).values()
        if getattr(kind, "__module__", "") == "w2v_cli.errors" and isinstance(kind, type)
    }

    assert {kind.__name__ for kind in kinds} <= set(w2v_cli.__all__)
    assert all(issubclass(kind, w2v_cli.W2vError) for kind in kinds)


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_functions_are_typed_and_documented(name, parameters):
    """The functions take these parameters, say the types of all of them, and return WordVectors."""
    function = getattr(w2v_cli, name)

    assert list(inspect.signature(function).parameters) == parameters
    assert list(inspect.get_annotations(function)) == [*parameters, "return"]
    assert inspect.get_annotations(function)["return"] is w2v_cli.WordVectors
    assert function.__doc__


def test_methods_are_typed_and_documented():
    """Each question is a method that says its types and what it returns."""
    own = {name: value for name, value in vars(w2v_cli.WordVectors).items() if not name.startswith("_")}

    assert sorted(own) == METHODS
    for name, value in own.items():
        function = value.fget if isinstance(value, property) else getattr(w2v_cli.WordVectors, name)
        parameters = inspect.signature(function).parameters
        hints = inspect.get_annotations(getattr(function, "__func__", function))
        assert "return" in hints, name
        assert set(parameters) - {"self"} <= set(hints), name
        assert inspect.getdoc(function), name


def test_type_checkers_see_the_names(tmp_path):
    """mypy, strict, knows what `train` and the methods return, and finds a wrong keyword and a wrong type."""
    (tmp_path / "user.py").write_text(
        "import w2v_cli\n"
        "vectors = w2v_cli.train('a.txt', dim=3, model='skipgram', epochs=2)\n"
        "words: list[str] = [found.word for found in vectors.similar('a', top=3)]\n"
        "number: float = w2v_cli.load('x').similarity('a', 'b')\n"
        "w2v_cli.train('a.txt', dimensions=3)\n"
        "w2v_cli.train('a.txt', dim='3')\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary", "user.py"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    lines = [line.partition(": error: ")[0] for line in done.stdout.splitlines() if ": error: " in line]
    assert lines == ["user.py:5", "user.py:6"], done.stdout
