"""`w2v config`: the settings of a training, and the configs shipped with w2v."""

from typing import Annotated

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.help import Command, Group
from w2v_cli.cli.options import JsonOption
from w2v_cli.cli.train_options import TrainOptions, with_train_options


@with_train_options
def show(
    options: TrainOptions,
    *,
    origin: Annotated[
        bool, typer.Option("--origin", help="Add a comment to each setting that says where its value comes from.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show all settings of a training as YAML, for --config.

    \b
    Examples:
      w2v config show > my.yaml
      w2v config show ptb --config book-cbow --epochs 3 --origin
      w2v config show --set training.batch_size=256 --json

    Takes the arguments and options of `w2v train` and shows the settings it would train with.
    """
    from w2v_cli.config.dump import as_yaml

    resolved = options.resolve()
    if as_json:
        content = {"config": resolved.config.model_dump(mode="json"), "origins": dict(resolved.origins)}
        console.write_json("config", content)
    else:
        console.write(as_yaml(resolved, with_origins=origin))


def list_(*, as_json: JsonOption = False) -> None:
    """List the configs shipped with w2v, and their files.

    \b
    Examples:
      w2v config list
      w2v train ptb --config book-cbow

    Pass a name to --config, or copy the file and edit it.
    """
    from w2v_cli.config.shipped import purpose, shipped_configs

    found = [(name, str(path), purpose(path)) for name, path in shipped_configs().items()]
    if as_json:
        configs = [{"name": name, "path": path, "purpose": what_for} for name, path, what_for in found]
        console.write_json("config", {"configs": configs})
    else:
        console.write("\n".join(tables.tabbed(name, path) for name, path, _ in found))


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Show the settings of a training and the shipped configs.

    \b
    Examples:
      w2v config show > my.yaml
      w2v config show novels.txt --config my.yaml --origin
      w2v config list
    """,
)
app.command("show", cls=Command)(show)
app.command("list", cls=Command)(list_)
