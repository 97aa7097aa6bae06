"""Draws, matrices and training steps: readable references, and their fast twins for CPU and GPU.

Takes an encoded text and the settings of the model and of the draws; gives an engine, which holds both matrices and
trains on a span or a batch. Begin with `block/reference` or `minibatch/reference`, which read like the equations.
`objectives` says in what the models differ, `protocols` what an engine must do, `load` chooses one.

The buffers of the compiled block algorithm (`block.scratch`, `block.blocks`) and the CUDA engine (`block.cuda_engine`,
which needs CuPy) are imported directly: by the estimate of memory, and by the check of a GPU.
"""

from w2v_cli.kernels.block.cuda_layout import MAX_DIM
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import ROWS_AT_ONCE, Embeddings, build_embeddings
from w2v_cli.kernels.gpu import import_cupy, resolve_backend
from w2v_cli.kernels.holdout import hold_out, split_held_out
from w2v_cli.kernels.load import load_block_engine, load_minibatch_engine
from w2v_cli.kernels.minibatch.batches import Batch, BatchBuilder
from w2v_cli.kernels.objectives import Objective, objective_of
from w2v_cli.kernels.philox import Purpose, draw_words
from w2v_cli.kernels.protocols import Backend, BlockEngine, MinibatchEngine
from w2v_cli.kernels.sampling import keep_probabilities

__all__ = [
    "MAX_DIM",
    "ROWS_AT_ONCE",
    "Backend",
    "Batch",
    "BatchBuilder",
    "BlockEngine",
    "BlockSettings",
    "Embeddings",
    "MinibatchEngine",
    "Objective",
    "Purpose",
    "build_embeddings",
    "draw_words",
    "hold_out",
    "import_cupy",
    "keep_probabilities",
    "load_block_engine",
    "load_minibatch_engine",
    "objective_of",
    "resolve_backend",
    "split_held_out",
]
