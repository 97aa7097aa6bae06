"""The shape of the source: imports point one way, heavy things stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "w2v_cli"

# Reading order and import order: a module imports only modules above it.
PIPELINE = [
    "__init__",
    "errors",
    "python_names",
    "cores",
    "memory_limits",
    "startup",
    "durations",
    "sizes",
    "cluster_address",
    "setting_types",
    "cluster_settings",
    "settings",
    "setting_problems",
    "yaml_document",
    "config_sources",
    "shipped_configs",
    "config",
    "config_text",
    "proposals",
    "temporary",
    "storage",
    "output_lock",
    "file_kinds",
    "incoming",
    "replies",
    "download",
    "demo_text",
    "datasets",
    "ahead",
    "unpacking",
    "packing",
    "remote_failures",
    "remote",
    "sources",
    "corpora",
    "pieces",
    "text_parts",
    "fingerprint",
    "corpus",
    "sentences",
    "tokens",
    "addresses",
    "compiled",
    "stores",
    "packed_words",
    "vocabulary",
    "word_table",
    "encoding",
    "resolving",
    "runs",
    "marks",
    "marking",
    "scan_report",
    "scan_warnings",
    "scanner",
    "tally",
    "cluster_trust",
    "combining",
    "rounds_plan",
    "pair_table",
    "collocations",
    "joining",
    "text_lines",
    "phrases",
    "randomness",
    "sampling",
    "held_out",
    "windows",
    "batches",
    "blocks",
    "model",
    "schedule",
    "kernels.contract",
    "kernels.arrays",
    "kernels.minibatch",
    "kernels.adam_numba",
    "kernels.minibatch_numba",
    "kernels.block_reference",
    "kernels.block_plan",
    "kernels.philox_numba",
    "kernels.spans_numba",
    "kernels.lanes_numba",
    "kernels.tiles_numba",
    "kernels.sums_numba",
    "kernels.scratch",
    "kernels.sigmoid_numba",
    "kernels.pairs_numba",
    "kernels.skipgram_numba",
    "kernels.cbow_numba",
    "kernels.block_numba",
    "kernels.atomics_numba",
    "kernels.rounds_numba",
    "kernels.block_engine",
    "kernels.rounds_engine",
    "kernels.block_cupy",
    "kernels",
    "optimizers",
    "learner",
    "minibatch_training",
    "block_training",
    "preflight",
    "shard_training",
    "cluster_tasks",
    "cluster_errors",
    "cluster_meeting",
    "cluster_members",
    "cluster",
    "cluster_local",
    "cluster_start",
    "cluster_scan",
    "distributed",
    "tensor_file",
    "spelling",
    "vectors",
    "formats.book",
    "formats",
    "formats.escaping",
    "formats.stream",
    "formats.collector",
    "formats.text_numba",
    "formats.text_rows",
    "formats.word2vec_text",
    "formats.glove",
    "formats.word2vec_binary",
    "formats.quantising",
    "formats.packed_parts",
    "formats.numpy_archive",
    "formats.tensors",
    "formats.checkpoint",
    "formats.projector",
    "formats.finalfusion",
    "formats.table",
    "formats.exchange",
    "row_blocks",
    "nearest_rows",
    "expression",
    "queries",
    "closeness",
    "word_vectors",
    "side_by_side",
    "projection",
    "clusters",
    "wordmap",
    "wordmap_file",
    "question_lines",
    "evaluation_sets",
    "confidence",
    "known_words",
    "first_answers",
    "evaluation",
    "evaluator",
    "score_report",
    "divergence",
    "loop_state",
    "snapshot",
    "snapshot_keeper",
    "meter",
    "patience",
    "training",
    "loss_curves",
    "loss_plot",
    "terminal_plot",
    "initial_vectors",
    "resuming",
    "engines",
    "memory",
    "memory_check",
    "session",
    "provenance",
    "events",
    "log_fields",
    "run_log",
    "beginning",
    "pipeline",
    "given_texts",
    "keyword_settings",
    "library",
    "rehearsal",
    "gpu_check",
    "gpu_check.texts",
    "gpu_check.device",
    "gpu_check.agreement",
    "gpu_check.trials",
    "gpu_check.checking",
    "bench",
    "bench.trial",
    "bench.worker",
    "bench.running",
    "bench.report",
    "bench.comparison",
    "cli.console",
    "cli.signals",
    "cli.completion",
    "cli.options",
    "cli.bars",
    "cli.given",
    "cli.progress",
    "cli.plan",
    "cli.download",
    "cli.phrase_display",
    "cli.phrases",
    "cli.train",
    "cli.config",
    "cli.plot",
    "cli.asking",
    "cli.answers",
    "cli.similar",
    "cli.analogy",
    "cli.similarity",
    "cli.odd",
    "cli.vector",
    "cli.vocabulary",
    "cli.line_editor",
    "cli.conversation",
    "cli.ask",
    "cli.info",
    "cli.score_table",
    "cli.evaluate",
    "cli.export",
    "cli.import_",
    "cli.word_map",
    "cli.bench",
    "cli.gpu_check",
    "cli.app",
    "cli",
    "__main__",
]

# A package that only these modules may import, wherever in the file.
HOMES = {
    "typer": ["cli."],
    "rich": ["cli."],
    "tqdm": ["cli."],
    "numba": ["addresses", "compiled", "kernels.lanes_numba", "kernels.atomics_numba"],
    "cupy": ["kernels.arrays"],
    "ruamel": ["config"],
    "fsspec": ["remote"],
    "dask": ["cluster_start"],
    "distributed": ["cluster", "cluster_local", "cluster_start"],
    "aiohttp": ["remote"],
    "backports": ["unpacking", "packing"],
    "compression": ["unpacking", "packing"],
    "safetensors": [],
    "matplotlib": ["loss_plot"],
    "umap": ["projection"],
    "sklearn": ["projection"],
    "pickle": ["formats.book", "cluster_meeting"],
}


def module_name(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported_names(path):
    """Return the dotted names that a module imports, also inside functions."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def own_modules(path):
    """Return the modules of this package that a module imports."""
    for name in imported_names(path):
        rest = name.removeprefix("w2v_cli").removeprefix(".")
        if name.split(".")[0] == "w2v_cli":
            if rest in MODULES:
                yield rest
            elif rest.rpartition(".")[0] in MODULES:
                yield rest.rpartition(".")[0]


def test_every_module_has_its_place_in_the_pipeline():
    """The list above names every module, and nothing that is not there."""
    assert sorted(MODULES) == sorted(name for name in PIPELINE if name in MODULES)
    assert set(PIPELINE) - set(MODULES) <= {"__main__"}


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__init__"])
def test_a_module_imports_only_modules_above_it(name):
    """Imports point one way, up the pipeline; but `__init__` tells type checkers where its lazy names come from."""
    too_late = [other for other in own_modules(MODULES[name]) if PIPELINE.index(other) >= PIPELINE.index(name)]

    assert too_late == []


@pytest.mark.parametrize("name", MODULES)
def test_packages_stay_in_their_homes(name):
    """Typer, Rich and tqdm stay in cli/, CuPy, Numba, YAML and pickle in one file each."""
    strays = [
        imported
        for imported in imported_names(MODULES[name])
        for package, homes in HOMES.items()
        if imported.split(".")[0] == package and not any(name.startswith(home) for home in homes)
    ]

    assert strays == []


@pytest.mark.parametrize("name", MODULES)
def test_nothing_prints(name):
    """Only cli/console.py writes to stdout; print is used nowhere."""
    calls = [
        node
        for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]

    assert calls == []


@pytest.mark.parametrize("name", MODULES)
def test_a_file_fits_one_sitting(name):
    """No file is longer than 250 lines."""
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= 250


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import w2v_cli", ["numpy", "numba", "cupy", "typer", "rich", "pydantic", "requests"]),
        ("import w2v_cli; w2v_cli.load", ["numba", "cupy", "typer", "rich", "pydantic", "requests"]),
        ("import w2v_cli.cli.app", ["numpy", "numba", "pandas", "tqdm", "ruamel", "requests", "matplotlib"]),
        ("import w2v_cli.queries, w2v_cli.formats", ["numba", "typer", "pydantic", "requests"]),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(statement, unwanted):
    """A fresh interpreter that imports this has loaded none of the heavy packages."""
    code = f"{statement}; import sys; print([name for name in {unwanted} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
