"""What `w2v train --dry-run` shows."""

from w2v_cli.cli import console
from w2v_cli.cli.progress import duration
from w2v_cli.humanize import count, size
from w2v_cli.pipeline.dry_run import DryRunReport
from w2v_cli.pipeline.memory import MemoryFound


def show_plan(plan: DryRunReport, *, as_json: bool) -> None:
    """Write a plan: lines, or one JSON object; why the training would not begin goes to stderr."""
    if as_json:
        refusals = [console.as_typed(refusal) for refusal in plan.refusals]
        console.write_json("train", plan.as_json() | {"refusals": refusals})
    else:
        console.write("\n".join(console.printable(line) for line in plan_lines(plan)))
    for refusal in plan.refusals:
        console.fail(refusal)


def plan_lines(plan: DryRunReport) -> list[str]:
    """Return a plan for people, a subject a line."""
    prepared, config, loaded = plan.prepared, plan.prepared.config, plan.prepared.loaded
    corpus, model, training, words = (
        prepared.identity.corpus,
        config.model,
        config.training,
        len(prepared.corpus.vocabulary),
    )
    snapshot = f", {size(plan.snapshot_bytes)} for the snapshot" if plan.snapshot_bytes else ""
    texts = corpus["source"] if isinstance(corpus["source"], str) else ", ".join(corpus["source"])
    done = f", {100 * plan.progress:.0f} % of it done" if plan.progress else ""
    who = count(loaded.threads, "worker" if loaded.rounds else "thread")
    engine = f"{loaded.algorithm} on {loaded.backend}, {who}"
    negatives = count(config.sampling.negatives, "negative")
    pace = f"estimated from a moment of training at {plan.speed.words_per_second:,.0f} words/s"
    return [
        f"corpus: {texts}; {count(corpus['files'], 'file')}, {count(corpus['words'], 'word')}",
        f"vocabulary: {count(words, 'word')} with {count(corpus['kept_words'], 'occurrence')}",
        f"model: {model.model}, {count(model.dim, 'dimension')}, window {model.window}, {negatives}",
        f"training: {count(training.epochs, 'epoch')}{done}, {engine}, learning rate {config.learning_rate:g}",
        f"files: {', '.join(plan.files.values())}",
        _memory_line(prepared.memory),
        f"disk: {size(plan.vectors_bytes)} for the vectors{snapshot}; {size(plan.free_bytes)} are free",
        f"time: about {duration(plan.seconds)}{_of_which(plan)}, {pace}",
    ]


def _memory_line(memory: MemoryFound) -> str:
    parts = ", ".join(f"{name} {size(part)}" for name, part in memory.need.parts.items())
    available = "" if memory.limit is None else f"; {size(memory.limit.available)} can be had ({memory.limit.name})"
    return f"memory: {size(memory.peak)} at most, {size(memory.need.total)} of it for training ({parts}){available}"


def _of_which(plan: DryRunReport) -> str:
    """Return how much of the time goes into measuring, where that is worth a word."""
    epochs = (1 - plan.progress) * plan.prepared.config.training.epochs
    measuring = epochs * plan.speed.measure_seconds
    return f" ({duration(measuring)} of it for measuring)" if measuring >= 1 else ""
