"""The choice of an engine; the packages of a backend are imported when it is chosen."""

from w2v_cli.config.schema import ModelSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import Embeddings
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.protocols import Backend, BlockEngine, MinibatchEngine


def load_minibatch_engine(backend: Backend, model: ModelSettings, optimizer: str, start: Embeddings) -> MinibatchEngine:
    """Return an engine of the minibatch algorithm.

    Args:
        backend: what computes.
        model: the model and its size.
        optimizer: `sgd` or `adam`.
        start: what training begins with; the engine may change it in place.
    """
    arguments = objective_of(model), optimizer, start
    if backend is Backend.NUMBA:
        from w2v_cli.kernels.minibatch.numba_engine import NumbaEngine  # noqa: PLC0415  Numba takes a second to import

        return NumbaEngine(*arguments)
    from w2v_cli.kernels.minibatch.array_engine import ArrayEngine, CuPyArrayEngine  # noqa: PLC0415

    return CuPyArrayEngine(*arguments) if backend is Backend.CUPY else ArrayEngine(*arguments)


def load_block_engine(
    backend: Backend,
    corpus: EncodedText,
    settings: BlockSettings,
    held_out: EncodedText | None = None,
    *,
    threads: int = 1,
    start: Embeddings | None = None,
) -> BlockEngine:
    """Return an engine of the block algorithm.

    Args:
        backend: what computes.
        corpus: the text to train on.
        settings: those that an engine needs.
        held_out: sentences to measure the loss on.
        threads: those that a deterministic engine starts; others are called on threads.
        start: what training begins with, such as a shard of a cluster. None: the first values.

    Raises:
        ConfigError: a block does not fit into the GPU's shared memory.
        StorageError: the GPU has too little memory.
        MissingDependencyError: the GPU's compiler does not compile the kernels.
    """
    if backend is Backend.CUPY:
        from w2v_cli.kernels.block.cuda_engine import CuPyEngine  # noqa: PLC0415  it imports CuPy

        return CuPyEngine(corpus, settings, held_out, start)
    if backend is Backend.NUMBA and settings.deterministic:
        from w2v_cli.kernels.block.engine import DeterministicEngine  # noqa: PLC0415  Numba takes a second to import

        return DeterministicEngine(corpus, settings, held_out, threads=threads)
    if backend is Backend.NUMBA:
        from w2v_cli.kernels.block.engine import CompiledEngine  # noqa: PLC0415  Numba takes a second to import

        return CompiledEngine(corpus, settings, held_out, start)
    from w2v_cli.kernels.block.reference_engine import ReferenceEngine  # noqa: PLC0415

    return ReferenceEngine(corpus, settings, held_out, start)
