"""`w2v download`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import JsonOption, QuietOption

if TYPE_CHECKING:
    from w2v_cli.datasets import Dataset


def download(
    name: Annotated[str, typer.Argument(help="What to download: see --list.")] = "ptb",
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
    """Download a corpus or an evaluation set into your data folder.

    An interrupted download goes on where it stopped; every file's SHA-256 is checked.

    \b
    Examples:
      w2v download ptb
      w2v download --list
      w2v download ptb --from ~/Downloads
    """  # noqa: D301  \b keeps the lines
    from w2v_cli import datasets  # noqa: PLC0415  not needed for --help
    from w2v_cli.cli.progress import DownloadDisplay  # noqa: PLC0415

    folder = datasets.data_folder(os.environ)
    with console.json_errors("download", as_json=as_json), DownloadDisplay(is_quiet=quiet) as display:
        if list_:
            _list(folder, as_json=as_json)
            return
        dataset = datasets.find(name)
        console.note(f"{dataset.title}\nlicence: {dataset.licence}")
        path = datasets.download(
            dataset,
            folder,
            source=source,
            overwrite=overwrite,
            on_step=display.show_step,
            on_progress=display.show_bytes,
        )
    if as_json:
        console.write_json("download", {"name": name, "path": None if path is None else str(path)})
    elif path is not None:
        console.write(str(path))
    else:
        console.note(f"{name} is not complete yet: give the files that are missing, too.")


def _list(folder: Path, *, as_json: bool) -> None:
    """Write the table of datasets, and which are there."""
    from w2v_cli import datasets  # noqa: PLC0415

    table = datasets.read_table()
    if as_json:
        console.write_json("download", {"datasets": [_entry(dataset, folder) for dataset in table.values()]})
        return
    for dataset in table.values():
        entry = _entry(dataset, folder)
        state = f"here: {entry['path']}" if entry["path"] else "not downloaded"
        console.write(f"{dataset.name} ({dataset.kind}): {dataset.title}\n  {state}\n  licence: {dataset.licence}")


def _entry(dataset: "Dataset", folder: Path) -> dict[str, Any]:
    from w2v_cli import datasets  # noqa: PLC0415

    path = datasets.installed_path(dataset, folder)
    return {
        "name": dataset.name,
        "kind": dataset.kind,
        "title": dataset.title,
        "licence": dataset.licence,
        "path": None if path is None else str(path),
    }
