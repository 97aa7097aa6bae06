"""The table of named texts and evaluation sets: their addresses, which are installed, and their installation."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from w2v_cli.config.yaml import read_yaml
from w2v_cli.datasets import demo
from w2v_cli.datasets.download import Progress, copy_checked, fetch
from w2v_cli.errors import ConfigError, CorpusError, DownloadError, option
from w2v_cli.system.files import disk_errors, sha256_of

Origin = tuple[str, ...] | Path  # URLs, the preferred one first, or a path on this machine


@dataclass(frozen=True)
class DatasetFile:
    """A file of a dataset: its name on disk, its SHA-256, and its URLs, the preferred one first."""

    name: str
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """An entry of the table. A dataset without files is built in: its text is written, not downloaded."""

    name: str
    title: str
    kind: Literal["corpus", "evaluation"]
    licence: str
    main: str | None = None
    files: tuple[DatasetFile, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)  # keys of the config's section `corpus`

    @property
    def is_built_in(self) -> bool:
        """Return whether the text comes with the installation."""
        return not self.files


class Action(StrEnum):
    """An action on a file."""

    KEEP = "keep"
    FETCH = "fetch"
    COPY = "copy"
    WRITE = "write"  # the built-in text
    MISS = "miss"  # not among the files of --from


@dataclass(frozen=True)
class Step:
    """The action for the file `name`, and its reason; `origin` is the source of its bytes, None if there is none."""

    name: str
    action: Action
    reason: str
    sha256: str = ""
    origin: Origin | None = None


def data_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of all datasets: W2V_DATA_DIR, or the platform's folder for a user's data."""
    import platformdirs  # noqa: PLC0415 - loaded only if data is asked for

    if chosen := environment.get("W2V_DATA_DIR"):
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("w2v", appauthor=False)


@functools.cache
def read_table() -> Mapping[str, Dataset]:
    """Return all datasets of datasets.yaml by name."""
    table = cast("dict[str, dict[str, Any]]", read_yaml(Path(__file__).with_name("datasets.yaml")))
    return MappingProxyType({name: _build_dataset(name, **entry) for name, entry in table.items()})


def find(name: str) -> Dataset:
    """Return the dataset of this name; raise ConfigError, with the known names, if there is none."""
    table = read_table()
    if name in table:
        return table[name]
    near = get_close_matches(name, table, n=1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise ConfigError(f"unknown dataset {name!r}. {meant}Choose from: {', '.join(table)}.")


def installed_path(dataset: Dataset, folder: Path) -> Path | None:
    """Return the file to read if all files of the dataset are in `folder`, else None."""
    if dataset.is_built_in and not demo.is_installed():
        return None
    main = _main_path(dataset, folder)
    needed = [main, *(main.with_name(file.name) for file in dataset.files)]
    return main if all(path.is_file() for path in needed) else None


def changed_files(dataset: Dataset, folder: Path) -> list[Path]:
    """Return the files of the dataset in `folder` whose bytes are not the published ones."""
    paths = {_main_path(dataset, folder).with_name(file.name): file.sha256 for file in dataset.files}
    return [path for path, sha256 in paths.items() if path.is_file() and sha256_of(path) != sha256]


def default_corpus(folder: Path) -> str:
    """Return the name of the corpus to train on if none is named: ptb if it is installed, else demo."""
    return "ptb" if installed_path(find("ptb"), folder) else "demo"


def locate(name: str, folder: Path) -> Path:
    """Return the text of the corpus `name`; the built-in one is written first if it is missing.

    Raises:
        ConfigError: there is no such corpus.
        CorpusError: the corpus has not been downloaded.
        MissingDependencyError, StorageError: the built-in text cannot be written.
    """
    dataset = find(name)
    if dataset.kind != "corpus":
        raise ConfigError(f"{name} is an evaluation set, not a corpus to train on.")
    path = download(dataset, folder) if dataset.is_built_in else installed_path(dataset, folder)
    if path is None:
        raise CorpusError(f"the corpus {name} is not downloaded; run `w2v download {name}`.")
    return path


def download(
    dataset: Dataset,
    folder: Path,
    *,
    source: str | None = None,
    overwrite: bool = False,
    on_step: Callable[[Step], object] = lambda _step: None,
    on_progress: Progress = lambda _done, _total: None,
) -> Path | None:
    """Install a dataset in `folder`; return the file to read, or None if `source` left some files missing.

    The SHA-256 of every file is checked.

    Args:
        dataset: what to install.
        folder: the folder of all datasets.
        source: a file, a folder or a URL that replaces the URLs of the table.
        overwrite: whether intact files are replaced, too.
        on_step: called with each file before anything is done with it.
        on_progress: called with the bytes received and those in all.

    Raises:
        ConfigError: `source` has none of the files, or the dataset is built in and takes none.
        DownloadError: every URL fails, or the bytes have another SHA-256.
        StorageError: the disk refuses.
        OutputInUseError: another process is downloading the same file.
        MissingDependencyError: a package of the built-in text is missing.
    """
    main = _main_path(dataset, folder)
    for step in _plan_for(dataset, main, source, overwrite=overwrite):
        on_step(step)
        _act(step, main.with_name(step.name), on_progress)
    return installed_path(dataset, folder)


def plan(
    files: Sequence[DatasetFile], found: Mapping[str, str], offered: Mapping[str, Origin], *, overwrite: bool
) -> list[Step]:
    """Return the step for each file.

    Args:
        files: the files of a dataset.
        found: the SHA-256 of each file that is installed.
        offered: the origin of each available file.
        overwrite: whether intact files are replaced, too.
    """
    return [_plan_file(file, found.get(file.name), offered.get(file.name), overwrite=overwrite) for file in files]


def _plan_file(file: DatasetFile, found: str | None, origin: Origin | None, *, overwrite: bool) -> Step:
    if found == file.sha256 and not (overwrite and origin):
        return Step(file.name, Action.KEEP, "already there")
    reason = "" if found is None else "overwriting"
    if found not in {None, file.sha256}:
        reason = f"the existing file has SHA-256 {found}, expected {file.sha256}"
    if origin is None:
        return Step(file.name, Action.MISS, f"not among the given files{f'; {reason}' if reason else ''}")
    return Step(file.name, Action.COPY if isinstance(origin, Path) else Action.FETCH, reason, file.sha256, origin)


def url_origins(files: Sequence[DatasetFile], url: str) -> dict[str, Origin]:
    """Return the origin of each file that `url`, of one file or of a folder, offers."""
    last_part = urlsplit(url).path.rpartition("/")[2]
    if len(files) == 1 and last_part:
        return {files[0].name: (url,)}
    if last_part in {file.name for file in files}:
        return {last_part: (url,)}
    return {file.name: (f"{url.rstrip('/')}/{file.name}",) for file in files}


def path_origins(files: Sequence[DatasetFile], path: Path) -> dict[str, Origin]:
    """Return the origin of each file that `path` offers: in a folder by its name, for a single file by its SHA-256."""
    if path.is_dir():
        if origins := {file.name: path / file.name for file in files if (path / file.name).is_file()}:
            return {**origins}
        raise ConfigError(
            f"{option('from', str(path))}: the folder holds none of {', '.join(file.name for file in files)}."
        )
    if not path.is_file():
        raise ConfigError(f"{option('from', str(path))}: no such file or folder.")
    sha256 = sha256_of(path)
    if named := [file.name for file in files if file.sha256 == sha256]:
        return dict.fromkeys(named, path)
    expected = " or ".join(f"{file.sha256} ({file.name})" for file in files)
    raise DownloadError(
        f"{option('from', str(path))}: SHA-256 is {sha256}, expected {expected}: nothing was installed."
    )


def _plan_for(dataset: Dataset, main: Path, source: str | None, *, overwrite: bool) -> list[Step]:
    """Return the steps, from the installed files and those that the user offers."""
    if dataset.is_built_in and source is not None:
        raise ConfigError(f"{dataset.name} is written from installed packages and takes no {option('from')}.")
    if dataset.is_built_in:
        is_kept = main.is_file() and not overwrite
        return [Step(main.name, Action.KEEP, "already there") if is_kept else Step(main.name, Action.WRITE, "built in")]
    paths = {file.name: main.with_name(file.name) for file in dataset.files}
    found = {name: sha256_of(path) for name, path in paths.items() if path.is_file()}
    return plan(dataset.files, found, _origins(dataset.files, source), overwrite=overwrite)


def _origins(files: Sequence[DatasetFile], source: str | None) -> Mapping[str, Origin]:
    """Return the origin of each file: the URLs of the table, or the user's --from instead."""
    if source is None:
        return {file.name: file.urls for file in files}
    is_url = source.lower().startswith(("http://", "https://"))
    return url_origins(files, source) if is_url else path_origins(files, Path(source))


def _act(step: Step, destination: Path, on_progress: Progress) -> None:
    """Carry out one step of a plan."""
    with disk_errors(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
    if step.action is Action.WRITE:
        demo.write_demo_text(destination)
    elif isinstance(step.origin, Path):
        copy_checked(step.origin, destination, step.sha256)
    elif step.origin:
        fetch(step.origin, destination, sha256=step.sha256, on_progress=on_progress)


def _main_path(dataset: Dataset, folder: Path) -> Path:
    """Return the path of the file to read, installed or not; raise MissingDependencyError for a built-in text."""
    return folder / dataset.name / (dataset.main or demo.file_name())


def _build_dataset(name: str, *, files: Sequence[Mapping[str, Any]] = (), **fields: Any) -> Dataset:
    """Return an entry of the table; missing or unknown keys raise TypeError, a bug."""
    built = tuple(DatasetFile(file["name"], file["sha256"], tuple(file["urls"])) for file in files)
    return Dataset(name, files=built, **fields)
