"""The choice of an engine; the packages of a backend are imported when it is chosen."""

from w2v_cli.config.schema import Config
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.objectives import objective_of
from w2v_cli.kernels.protocols import Backend, BlockEngine, MinibatchEngine


def load_minibatch_engine(
    backend: Backend, text: EncodedText, config: Config, *, start: Embeddings | None = None
) -> MinibatchEngine:
    """Return an engine of the minibatch algorithm.

    Args:
        backend: what computes.
        text: the corpus, for the size of its vocabulary.
        config: the settings of the model, the optimiser and the seed.
        start: what training begins with; the engine may change it in place. None: the first values.
    """
    start = start or build_embeddings(text.vocabulary_size, config.model, config.sampling.seed)
    arguments = objective_of(config.model), config.training.optimizer, start
    if backend is Backend.NUMBA:
        from w2v_cli.kernels.minibatch.numba_engine import NumbaEngine  # noqa: PLC0415  Numba takes a second to import

        return NumbaEngine(*arguments)
    from w2v_cli.kernels.minibatch.array_engine import ArrayEngine, CuPyArrayEngine  # noqa: PLC0415

    return CuPyArrayEngine(*arguments) if backend is Backend.CUPY else ArrayEngine(*arguments)


def load_block_engine(
    backend: Backend,
    corpus: EncodedText,
    config: Config,
    held_out: EncodedText | None = None,
    *,
    threads: int = 1,
    start: Embeddings | None = None,
) -> BlockEngine:
    """Return an engine of the block algorithm.

    Args:
        backend: what computes.
        corpus: the text to train on.
        config: of the training.
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

        return CuPyEngine(corpus, config, held_out, start)
    if backend is Backend.NUMBA and config.training.deterministic:
        from w2v_cli.kernels.block.engine import DeterministicEngine  # noqa: PLC0415  Numba takes a second to import

        return DeterministicEngine(corpus, config, held_out, threads=threads)
    if backend is Backend.NUMBA:
        from w2v_cli.kernels.block.engine import CompiledEngine  # noqa: PLC0415  Numba takes a second to import

        return CompiledEngine(corpus, config, held_out, start)
    from w2v_cli.kernels.block.reference_engine import ReferenceEngine  # noqa: PLC0415

    return ReferenceEngine(corpus, config, held_out, start)
