"""The shape of the source: imports between packages point one way, heavy things stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "w2v_cli"

# The contract: a package imports packages on lower lines only; packages on one line do not import each other.
LAYERS = [
    {"cli"},
    {"bench", "gpu_check"},
    {"pipeline", "visual"},
    {"cluster"},
    {"training"},
    {"evaluation"},
    {"queries", "kernels"},
    {"corpus"},
    {"datasets"},
    {"vectors", "config"},
    {"system", "jit"},
    {"errors", "humanize"},
]
LEVEL = {package: level for level, packages in enumerate(LAYERS) for package in packages}

# Where alone a library may be imported: a package, or one file of it.
HOMES = {
    "typer": {"cli"},
    "rich": {"cli"},
    "tqdm": {"cli"},
    "numba": {"jit"},
    "llvmlite": {"jit"},
    "dask": {"cluster"},
    "distributed": {"cluster"},
    "ruamel": {"config"},
    "cupy": {"kernels/gpu"},
    "cupyx": {"kernels/gpu"},
    "pickle": {"vectors/formats/book_pickle", "cluster/workers"},
    "fsspec": {"corpus/urls"},
    "aiohttp": {"corpus/urls"},
    "matplotlib": {"visual"},
    "umap": {"visual"},
    "sklearn": {"visual"},
    "safetensors": set(),
}


def imports():
    """Return, for each import of the source, the importing file (without .py) and the dotted name."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).with_suffix("").as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found += [(place, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                found += [(place, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def test_imports_between_packages_point_down():
    """No package imports one of its own line or of a line above; what lies beside the packages is the public door."""
    upward = [
        f"{place} imports {name}"
        for place, name in imports()
        if name.startswith("w2v_cli.") and (other := name.split(".")[1]) in LEVEL
        if (own := place.split("/")[0]) in LEVEL and own != other and LEVEL[own] >= LEVEL[other]
    ]

    assert upward == []


def test_every_package_has_its_line_in_the_contract():
    """A new package joins the contract, and at most six files lie beside the packages."""
    beside = [path.stem for path in PACKAGE.glob("*.py")]

    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} <= set(LEVEL)
    assert len(beside) <= 6


def test_libraries_stay_in_their_homes():
    """Typer, Rich and tqdm stay in cli/, Dask in cluster/, compiled code in jit/, CuPy in one file."""
    strays = [
        f"{place} imports {name}"
        for place, name in imports()
        if not any(place == home or place.startswith(f"{home}/") for home in HOMES.get(name.split(".")[0], {place}))
    ]

    assert strays == []


def test_nothing_prints():
    """Only cli/console.py writes to stdout; print is used nowhere."""
    calls = [
        f"{path}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert calls == []


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import w2v_cli", ["numpy", "numba", "cupy", "typer", "rich", "pydantic", "requests"]),
        ("import w2v_cli; w2v_cli.load", ["numba", "cupy", "typer", "rich", "pydantic", "requests"]),
        ("import w2v_cli.cli.app", ["numpy", "numba", "pandas", "tqdm", "ruamel", "requests", "matplotlib"]),
        ("import w2v_cli.queries.search, w2v_cli.vectors.load", ["numba", "typer", "pydantic", "requests"]),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement, unwanted):
    """A fresh interpreter that imports this has loaded none of the heavy packages."""
    code = f"{statement}; import sys; print([name for name in {unwanted} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
