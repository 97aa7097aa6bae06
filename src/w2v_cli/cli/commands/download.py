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
            metavar="NAME",
            help="Corpora or evaluation sets; --list shows them all.",
            show_default="ptb",
            autocompletion=complete_dataset,
        ),
    ] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="List all names, with licences and what is installed.")] = False,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE|FOLDER|URL",
            help="Take the files from here instead of the internet, for example behind a firewall.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Download again what is already there.")] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Download a corpus or evaluation sets into the data folder.

    \b
    Examples:
      w2v download ptb
      w2v download questions-words wordsim353 simlex999
      w2v download --list
      w2v download ptb --from ~/Downloads

    Interrupted downloads are resumed, and the SHA-256 of every file is checked. Prints the path of each.
    """
    from w2v_cli.datasets.registry import data_folder, find

    folder = data_folder(os.environ)
    if list_:
        _list(folder, as_json=as_json)
        return
    for dataset in [find(name) for name in names or ["ptb"]]:
        path = _download(dataset, folder, source, overwrite=overwrite, is_quiet=quiet)
        if as_json:
            console.write_json("download", {"name": dataset.name, "path": str(path)})
        else:
            console.write(str(path))


def _download(dataset: "Dataset", folder: Path, source: str | None, *, overwrite: bool, is_quiet: bool) -> Path:
    """Bring the dataset into `folder` and return the file to read; raise DownloadError if files are missing."""
    from w2v_cli.cli.progress import DownloadDisplay
    from w2v_cli.datasets.registry import download as download_files

    console.note(f"{dataset.title}\nLicence: {dataset.licence}")
    with DownloadDisplay(is_quiet=is_quiet) as display:
        path = download_files(
            dataset,
            folder,
            source=source,
            overwrite=overwrite,
            on_step=display.show_step,
            on_progress=display.show_bytes,
        )
    if path is None:
        raise DownloadError(
            f"{dataset.name} is incomplete, missing {' and '.join(display.missing)}: pass that with --from as well, or "
            f"download it with `w2v download {dataset.name}`."
        )
    return path


def _list(folder: Path, *, as_json: bool) -> None:
    """Write the table of datasets, and which are installed."""
    from w2v_cli.datasets.registry import installed_path, read_table

    table = read_table().values()
    if as_json:
        console.write_json("download", {"datasets": [_entry(dataset, folder) for dataset in table]})
        return
    for dataset in table:
        path = installed_path(dataset, folder)
        state = f"here: {path}" if path else "not here yet"
        console.write_text(
            (f"{dataset.name} ({dataset.kind}): {dataset.title}", f"  {state}", f"  licence: {dataset.licence}")
        )


def _entry(dataset: "Dataset", folder: Path) -> dict[str, Any]:
    """Return the JSON of a dataset."""
    from w2v_cli.datasets.registry import installed_path

    path = installed_path(dataset, folder)
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "title": dataset.title,
        "licence": dataset.licence,
        "path": None if path is None else str(path),
    }
