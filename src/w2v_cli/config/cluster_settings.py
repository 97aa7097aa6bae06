"""The settings of training on a cluster."""

from typing import Literal

from pydantic import Field

from w2v_cli.config.types import Cluster, FileName, Section, Time


class ClusterSettings(Section):
    """Where a training is shared out, and how its parts are put together again."""

    cluster: Cluster | None = Field(
        None,
        description="train on a Dask cluster: local:4 (workers on this machine), tcp://HOST:PORT, tls://HOST:PORT or a "
        "scheduler's file.json; null: in this process",
    )
    shards: int = Field(
        4,
        ge=1,
        le=4096,
        description="parts of the text, far apart, that are trained side by side in a round, each by one worker",
    )
    sync_words: int | None = Field(
        None,
        ge=1000,
        le=1_000_000_000_000,
        description="words of a shard, after which all shards are combined; null: what gives an epoch some hundred "
        "rounds, 1,000,000 at most",
    )
    combine: Literal["adasum", "weighted", "mean"] = Field(
        "adasum",
        description="how the changes that shards make to a row become one: adasum adds what differs and averages what "
        "is alike; mean: over the shards that changed it; weighted: the same, by how often the word stands in each",
    )
    delta_format: Literal["float32", "float16"] = Field(
        "float32", description="numbers that workers send changes in: float16 halves the bytes"
    )
    worker_timeout: Time = Field(
        "2m", description="how long to wait for a scheduler's answer, and for a worker where there is none"
    )
    tls_ca: FileName | None = Field(None, description="certificate (PEM) that has signed those of the cluster")
    tls_cert: FileName | None = Field(None, description="certificate (PEM) that this program shows to the cluster")
    tls_key: FileName | None = Field(None, description="its private key (PEM)")
