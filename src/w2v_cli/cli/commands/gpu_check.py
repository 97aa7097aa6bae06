"""`w2v gpu-check`."""

from collections.abc import Iterator, Mapping
from typing import Any

import typer

from w2v_cli.cli import console, tables
from w2v_cli.cli.options import JsonOption, QuietOption

_GIGA = 1e9


def gpu_check(*, quiet: QuietOption = False, as_json: JsonOption = False) -> None:
    """Check that training on your GPU is correct, good and fast.

    \b
    Examples:
      w2v gpu-check
      w2v gpu-check --json > my-gpu.json

    Takes a few minutes. Every kernel is compared with the reference on the CPU; then CPU and GPU train on generated
    texts, the GPU with more and more blocks in flight. The exit code is 1 if a check fails, 9 if no GPU is usable.
    """
    from w2v_cli.gpu_check.checking import check_gpu

    report = check_gpu(lambda step: None if quiet else console.note(f"Checking {step}"))
    if as_json:
        console.write_json("gpu-check", report)
    else:
        console.write("\n".join(_lines(report)))
    if not report["verdict"]["passed"]:
        raise typer.Exit(code=1)


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report as tables, the verdict last."""
    device = report["device"]
    yield (
        f"{device['name']}, compute capability {device['compute_capability']}, {device['multiprocessors']} "
        f"multiprocessors, {device['memory_bytes'] / _GIGA:.1f} GB at "
        f"{device['bandwidth_bytes_per_second'] / _GIGA:,.0f} GB/s (measured); CuPy "
        f"{device['cupy']}, NVRTC {device['nvrtc']}"
    )
    yield ""
    yield tables.tabbed("kernel", "model", "optimizer", "dim", "error of the update", "allowed", "")
    for check in report["agreement"]:
        cells = (check["algorithm"], check["model"], check["optimizer"] or "sgd", check["dim"])
        yield tables.tabbed(*cells, f"{check['error']:.1e}", f"{check['tolerance']:.0e}", _word(check["passed"]))
    yield ""
    yield tables.tabbed("model", "blocks in flight", "difference to one", "at a tenth of the rate", "")
    for check in report["staleness"]:
        large, small = check["differences"]
        yield tables.tabbed(
            check["model"], check["blocks_in_flight"], f"{large:.1e}", f"{small:.1e}", _word(check["passed"])
        )
    yield ""
    yield tables.tabbed("model", "backend", "blocks in flight", "purity of neighbours", "held-out loss", "")
    for check in report["quality"]:
        blocks = f"{check['blocks_in_flight'] or ''}{' (default)' if check['is_default'] else ''}"
        trial = (check["model"], check["backend"], blocks)
        measured = (f"{check['purity']:.3f}", f"{check['held_out_loss']:.3f}")
        yield tables.tabbed(*trial, *measured, _word(check["passed"]))
    yield ""
    yield tables.tabbed("model", "dim", "backend", "blocks in flight", "words/s", "times the CPU", "of the roofline")
    for speed in report["speed"]:
        share = speed["share_of_roofline"]
        yield tables.tabbed(
            speed["model"],
            speed["dim"],
            speed["backend"],
            speed["blocks_in_flight"] or "",
            f"{speed['words_per_second']:,.0f}",
            f"{speed['times_cpu']:.1f}",
            "" if share is None else f"{share:.3f}",
        )
    yield ""
    yield from report["verdict"]["failures"]
    yield "passed" if report["verdict"]["passed"] else "FAILED"


def _word(passed: bool | None) -> str:  # noqa: FBT001  a cell of the table
    return "" if passed is None else "ok" if passed else "FAILED"
