"""`w2v config`: the settings that a training would have, and the configs that come with the program."""

from typing import Annotated

import typer

from w2v_cli.cli import console
from w2v_cli.cli.options import JsonOption, with_setting_options
from w2v_cli.cli.train_options import (
    ConfigOption,
    CorpusArgument,
    DeterministicOption,
    EvaluateOption,
    GpuOption,
    LogOption,
    OutputOption,
    OverwriteOption,
    SetOption,
    resolve_training,
)


@with_setting_options
def show(
    corpus: CorpusArgument = None,
    *,
    gpu: GpuOption = False,
    deterministic: DeterministicOption = False,
    config: ConfigOption = None,
    set_: SetOption = None,
    output: OutputOption = None,
    overwrite: OverwriteOption = False,
    evaluate: EvaluateOption = None,
    log: LogOption = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from, as a comment.")] = False,
    as_json: JsonOption = False,
    **settings: str | None,
) -> None:
    """Show every setting that `w2v train` would have with the same arguments, as YAML for --config.

    \b
    Examples:
      w2v config show > my.yaml
      w2v config show ptb --config book-cbow --epochs 3 --origin
      w2v config show --set training.batch_size=256 --json
    """
    resolved = resolve_training(
        settings,
        set_,
        config,
        corpus=corpus,
        gpu=gpu,
        deterministic=deterministic,
        output=output,
        overwrite=overwrite,
        evaluate=evaluate,
        log=log,
    )
    from w2v_cli.config.dump import as_yaml  # noqa: PLC0415  pydantic is not needed for --help

    if as_json:
        content = {"config": resolved.config.model_dump(mode="json"), "origins": dict(resolved.origins)}
        console.write_json("config", content)
    else:
        console.write(as_yaml(resolved, with_origins=origin))


def list_(*, as_json: JsonOption = False) -> None:
    """List the configs that come with w2v: their names for --config, and their files to copy from.

    \b
    Examples:
      w2v config list
      w2v train ptb --config book-cbow
    """
    from w2v_cli.config.shipped import purpose, shipped_configs  # noqa: PLC0415  as above

    found = [(name, str(path), purpose(path)) for name, path in shipped_configs().items()]
    if as_json:
        configs = [{"name": name, "path": path, "purpose": what_for} for name, path, what_for in found]
        console.write_json("config", {"configs": configs})
    else:
        console.write("\n".join(console.tabbed(name, path) for name, path, _ in found))


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Show the settings of a training, and the configs that come with w2v.

    \b
    Examples:
      w2v config show > my.yaml
      w2v config show novels.txt --config my.yaml --origin
      w2v config list
    """,
)
app.command("show")(show)
app.command("list")(list_)
