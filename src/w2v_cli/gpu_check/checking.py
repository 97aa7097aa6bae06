"""All checks of a GPU in order, and the verdict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, get_args

from w2v_cli import __version__
from w2v_cli.config.schema import ModelName
from w2v_cli.gpu_check.agreement import OptimizerName, check_block, check_minibatch, check_staleness
from w2v_cli.gpu_check.device import describe_device
from w2v_cli.gpu_check.texts import build_topic_text
from w2v_cli.gpu_check.trials import check_quality, measure_speed
from w2v_cli.kernels import resolve_backend
from w2v_cli.system.machine import available_cores

_MODELS: tuple[ModelName, ...] = get_args(ModelName)
_OPTIMIZERS: tuple[OptimizerName, ...] = ("sgd", "adam")


@dataclass(frozen=True)
class CheckSizes:
    """Sizes of the checks: words and vocabulary of the generated texts, dimensions, epochs.

    `agreement_words` is at most a span, in which the reference takes its blocks in the kernel's order.
    """

    copy_bytes: int = 1 << 29
    agreement_words: int = 4_000
    agreement_vocabulary: int = 500
    dims: tuple[int, ...] = (50, 100, 128, 300, 512)
    stale_words: int = 200_000
    stale_vocabulary: int = 20_000
    quality_words: int = 1_000_000
    quality_vocabulary: int = 10_000
    topics: int = 50
    quality_epochs: int = 5
    speed_words: int = 8_000_000
    speed_vocabulary: int = 100_000
    speed_dims: tuple[int, ...] = (100, 300)
    repeats: int = 5
    dim: int = 100


WHOLE = CheckSizes()


def check_gpu(on_step: Callable[[str], None], sizes: CheckSizes = WHOLE) -> dict[str, Any]:
    """Check the current device and return the report, as JSON-able values.

    Args:
        on_step: called with a description of each step before it starts.
        sizes: the sizes of the checks.

    Raises:
        MissingDependencyError: if no GPU is usable.
    """
    resolve_backend("cupy")
    on_step("the device and the speed of its memory")
    device = describe_device(sizes.copy_bytes)
    report: dict[str, Any] = {"version": __version__, "device": device, "cpu_threads": available_cores()}
    on_step("every kernel against the reference")
    report["agreement"] = list(_check_agreement(sizes))
    on_step("blocks in flight at falling learning rates")
    stale = build_topic_text(vocabulary=sizes.stale_vocabulary, topics=sizes.topics, words=sizes.stale_words, seed=2)
    report["staleness"] = [check_staleness(stale.corpus, model, sizes.dim) for model in _MODELS]
    on_step("quality against the CPU, at several concurrencies")
    report["quality"] = list(_check_quality(sizes))
    on_step("speed against the CPU and the roofline")
    report["speed"] = list(_measure_speed(sizes, device["bandwidth_bytes_per_second"]))
    return report | {"verdict": verdict(report)}


def verdict(report: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return whether all checks passed, and a line for each failure."""
    failures = [
        *(_failed_agreement(check) for check in report["agreement"] if not check["passed"]),
        *(_failed_staleness(check) for check in report["staleness"] if not check["passed"]),
        *(_failed_quality(check, report["quality"]) for check in report["quality"] if check["passed"] is False),
    ]
    return {"passed": not failures, "failures": failures}


def _check_agreement(sizes: CheckSizes) -> Iterator[dict[str, Any]]:
    corpus = build_topic_text(
        vocabulary=sizes.agreement_vocabulary, topics=10, words=sizes.agreement_words, seed=1
    ).corpus
    for model, dim in product(_MODELS, sizes.dims):
        yield check_block(corpus, model, dim)
    for model, optimizer in product(_MODELS, _OPTIMIZERS):
        yield check_minibatch(corpus, model, optimizer, sizes.dim)


def _check_quality(sizes: CheckSizes) -> Iterator[dict[str, Any]]:
    text = build_topic_text(vocabulary=sizes.quality_vocabulary, topics=sizes.topics, words=sizes.quality_words, seed=3)
    for model in _MODELS:
        yield from check_quality(text, model, sizes.dim, sizes.quality_epochs)


def _measure_speed(sizes: CheckSizes, bandwidth: float) -> Iterator[dict[str, Any]]:
    text = build_topic_text(vocabulary=sizes.speed_vocabulary, topics=sizes.topics, words=sizes.speed_words, seed=4)
    for model, dim in product(_MODELS, sizes.speed_dims):
        yield from measure_speed(text, model, dim, sizes.repeats, bandwidth)


def _failed_agreement(check: Mapping[str, Any]) -> str:
    optimizer = f" with {check['optimizer']}" if check["optimizer"] else ""
    return (
        f"{check['algorithm']} {check['model']}{optimizer}, {check['dim']} dimensions: the update differs by "
        f"{check['error']:.1e} from the reference's; rounding explains {check['tolerance']:.0e}"
    )


def _failed_staleness(check: Mapping[str, Any]) -> str:
    large, small = check["differences"]
    return (
        f"{check['model']}, {check['blocks_in_flight']} blocks in flight: the difference to one block is {large:.1e} "
        f"and {small:.1e} at a tenth of the learning rate; staleness alone would fall faster"
    )


def _failed_quality(check: Mapping[str, Any], all_checks: Sequence[Mapping[str, Any]]) -> str:
    cpu = next(other for other in all_checks if other["model"] == check["model"] and other["backend"] != "cupy")
    return (
        f"{check['model']}, {check['blocks_in_flight']} blocks in flight (the default): of the nearest words, "
        f"{100 * check['purity']:.1f} % have the same topic, but {100 * cpu['purity']:.1f} % on the CPU; train with a "
        f"smaller training.gpu_concurrency"
    )
