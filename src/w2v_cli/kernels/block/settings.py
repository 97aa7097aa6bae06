"""The settings that an engine of the block algorithm needs."""

from dataclasses import dataclass
from typing import Self

from w2v_cli.config.schema import Config, ModelSettings, SamplingSettings


@dataclass(frozen=True)
class BlockSettings:
    """What an engine of the block algorithm takes from a config; a cluster sends it to its workers.

    Attributes:
        model: the model and its size.
        sampling: the random draws.
        min_count: the value to raise when a GPU has too little memory.
        deterministic: the same bytes on any number of threads.
        gpu_concurrency: blocks that a GPU trains at a time; None: as many as it holds, within limits.
    """

    model: ModelSettings
    sampling: SamplingSettings
    min_count: int
    deterministic: bool = False
    gpu_concurrency: int | None = None

    @classmethod
    def of(cls, config: Config) -> Self:
        """Return these settings of a config."""
        training = config.training
        return cls(
            config.model, config.sampling, config.corpus.min_count, training.deterministic, training.gpu_concurrency
        )
