"""`w2v download`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli import console
from w2v_cli.cli.completion import complete_dataset
from w2v_cli.cli.options import JsonOption, QuietOption
from w2v_cli.errors import DownloadError

if TYPE_CHECKING:
    from w2v_cli.datasets.registry import Dataset


def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="What to download: see --list.  [default: ptb]", autocompletion=complete_dataset
        ),
    ] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="Show what there is, with its licence, and stop.")] = False,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE|FOLDER|URL", help="Take the files from here: behind a firewall, say."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Fetch again what is there already.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download corpora or evaluation sets into your data folder.

    \b
    Examples:
      w2v download ptb
      w2v download questions-words wordsim353 simlex999
      w2v download --list
      w2v download ptb --from ~/Downloads

    An interrupted download goes on where it stopped; every file's SHA-256 is checked.
    """
    from w2v_cli.datasets import registry  # noqa: PLC0415  not needed for --help

    folder = registry.data_folder(os.environ)
    if list_:
        _list(folder, as_json=as_json)
        return
    for dataset in [registry.find(name) for name in names or ["ptb"]]:
        path = _download(dataset, folder, source, overwrite=overwrite, is_quiet=quiet)
        if as_json:
            console.write_json("download", {"name": dataset.name, "path": str(path)})
        else:
            console.write(str(path))


def _download(dataset: "Dataset", folder: Path, source: str | None, *, overwrite: bool, is_quiet: bool) -> Path:
    """Bring the dataset into `folder` and return the file to read; raise DownloadError where files are missing."""
    from w2v_cli.cli.progress import DownloadDisplay  # noqa: PLC0415
    from w2v_cli.datasets import registry  # noqa: PLC0415  not needed for --help

    console.note(f"{dataset.title}\nlicence: {dataset.licence}")
    with DownloadDisplay(is_quiet=is_quiet) as display:
        path = registry.download(
            dataset,
            folder,
            source=source,
            overwrite=overwrite,
            on_step=display.show_step,
            on_progress=display.show_bytes,
        )
    if path is None:
        raise DownloadError(
            f"{dataset.name} is not complete yet, {' and '.join(display.missing)} missing: give that with --from as "
            f"well, or run `w2v download {dataset.name}` for what is missing."
        )
    return path


def _list(folder: Path, *, as_json: bool) -> None:
    """Write the table of datasets, and which are there."""
    from w2v_cli.datasets import registry  # noqa: PLC0415  not needed for --help

    table = registry.read_table().values()
    if as_json:
        console.write_json("download", {"datasets": [_entry(dataset, folder) for dataset in table]})
        return
    for dataset in table:
        path = registry.installed_path(dataset, folder)
        state = f"here: {path}" if path else "not here yet"
        console.write(f"{dataset.name} ({dataset.kind}): {dataset.title}\n  {state}\n  licence: {dataset.licence}")


def _entry(dataset: "Dataset", folder: Path) -> dict[str, Any]:
    """Return what a script wants to know of a dataset."""
    from w2v_cli.datasets import registry  # noqa: PLC0415  not needed for --help

    path = registry.installed_path(dataset, folder)
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "title": dataset.title,
        "licence": dataset.licence,
        "path": None if path is None else str(path),
    }
