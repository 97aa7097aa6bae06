"""The block engine on an NVIDIA GPU: block.cu, compiled for one model and launched through CuPy."""

import dataclasses
import textwrap
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from w2v_cli.config.schema import ModelSettings, SamplingSettings
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.errors import ConfigError, MissingDependencyError, StorageError, option
from w2v_cli.kernels.block import cuda_layout
from w2v_cli.kernels.block.blocks import SPAN_WORDS
from w2v_cli.kernels.block.cuda_layout import KeptWords, Launch, Layout, Matrices, Text
from w2v_cli.kernels.block.settings import BlockSettings
from w2v_cli.kernels.embeddings import Embeddings, build_embeddings
from w2v_cli.kernels.gpu import import_cupy
from w2v_cli.kernels.sampling import build_distributions

_LAUNCHES_AHEAD = 16  # of the host before the device: enough to keep the device busy, few enough to stop soon
_LAUNCH_SPANS = cuda_layout.LAUNCH_WORDS // SPAN_WORDS
_KIB, _GIGABYTE = 1024, 1e9
_GPU = option("backend", "cupy")


class CuPyEngine:
    """The block engine on the current device, called by one thread; `gpu.resolve_backend` checked the device.

    Text, distributions and matrices are on the device. train_span returns device arrays without axes: reading their
    value waits for the device.

    Attributes:
        layout: the constants that block.cu was compiled with.
        resident_blocks: blocks that the device holds at a time.
    """

    span_words = cuda_layout.LAUNCH_WORDS
    is_compiled = True  # NVRTC takes less than a second

    def __init__(
        self,
        corpus: EncodedText,
        settings: BlockSettings,
        held_out: EncodedText | None = None,
        start: Embeddings | None = None,
    ) -> None:
        self._cupy = import_cupy()
        model, sampling = settings.model, settings.sampling
        self._model, self._sampling = model, sampling
        attributes = self._cupy.cuda.Device().attributes
        self.layout = fitting_layout(model, sampling.negatives, attributes["MaxSharedMemoryPerBlockOptin"])
        needed = device_bytes(corpus, held_out, self.layout)
        free, total = self._cupy.cuda.runtime.memGetInfo()
        kept = self._cupy.get_default_memory_pool().free_bytes()  # by CuPy, for reuse
        check_device_memory(needed, free + kept, total, dim=model.dim, min_count=settings.min_count)
        self._draw, self._train = self._compile()
        self.resident_blocks = self._resident_blocks() * attributes["MultiProcessorCount"]
        default = cuda_layout.blocks_in_flight(corpus.vocabulary_size, self.resident_blocks)
        self.blocks_in_flight = settings.gpu_concurrency or default
        self._text = self._upload_text(corpus, sampling)
        self._held_out = None if held_out is None else self._upload_sentences(self._text, held_out)
        self._kept = self._build_kept_words()
        start = start or build_embeddings(corpus.vocabulary_size, model, sampling.seed)
        self._input_vectors, self._output_vectors = (
            self._upload(_padded(matrix, self.layout.dim)) for matrix in (start.input_vectors, start.output_vectors)
        )
        self._in_flight: deque[Any] = deque()

    def prepare(self) -> None:
        """Launch both kernels on one word at learning rate 0, and wait for them: nothing is changed."""
        loss_sum, _ = self._launch(self._text, Launch(0, 0, 1, 0.0, 0.0))
        float(loss_sum)

    def train_span(self, epoch: int, start: int, stop: int, first_rate: float, last_rate: float) -> tuple[Any, Any]:
        """Enqueue the training on a span; the result stays on the device."""
        return self._launch(self._text, Launch(epoch, start, stop, first_rate, last_rate))

    def measure_span(self, start: int, stop: int) -> tuple[Any, Any]:
        """Return loss and pairs of held-out sentences: train on them at learning rate 0."""
        if self._held_out is None:
            raise ValueError("no sentences are held out")
        return self._launch(self._held_out, Launch(0, start, stop, 0.0, 0.0))

    def read_vectors(self) -> NDArray[np.float32]:
        """Return a copy of the input vectors, (V, D); waits for the device."""
        return self._download(self._input_vectors)

    def read_state(self) -> Mapping[str, NDArray[np.float32]]:
        """Return copies of both matrices, (V, D); waits for the device."""
        return {
            "input_vectors": self._download(self._input_vectors),
            "output_vectors": self._download(self._output_vectors),
        }

    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Put back what `read_state` returned."""
        for name, matrix in (("input_vectors", self._input_vectors), ("output_vectors", self._output_vectors)):
            matrix.set(_padded(state[name], self.layout.dim))

    def _launch(self, text: Text, launch: Launch) -> tuple[Any, Any]:
        """Enqueue a launch of both kernels; return loss and pairs, which stay on the device."""
        totals = self._cupy.zeros(2, dtype=self._cupy.float64)
        matrices = Matrices(self._input_vectors, self._output_vectors, totals)
        self._draw(
            (launch.spans,),
            (cuda_layout.DRAW_THREADS,),
            cuda_layout.draw_arguments(text, self._kept, self._sampling.seed, launch),
            shared_mem=cuda_layout.DRAW_SHARED_BYTES,
        )
        self._train(
            (self.blocks_in_flight,),
            (cuda_layout.TRAIN_THREADS,),
            cuda_layout.train_arguments(matrices, text, self._kept, self._model, self._sampling, launch),
            shared_mem=self.layout.shared_bytes,
        )
        self._stay_near()
        return totals[0], totals[1]

    def _stay_near(self) -> None:
        """Wait if the host is many launches ahead of the device."""
        event = self._cupy.cuda.Event(block=True, disable_timing=True)
        event.record()
        self._in_flight.append(event)
        if len(self._in_flight) > _LAUNCHES_AHEAD:
            self._in_flight.popleft().synchronize()

    def _compile(self) -> tuple[Any, Any]:
        """Return both kernels, compiled for this model and device, or from CuPy's cache.

        Raises MissingDependencyError if NVRTC does not compile them for this GPU.
        """
        source = cuda_layout.SOURCE.read_text(encoding="utf-8")
        module = self._cupy.RawModule(code=source, options=self.layout.options(), backend="nvrtc")
        try:
            draw, train = (module.get_function(name) for name in (cuda_layout.DRAW_KERNEL, cuda_layout.TRAIN_KERNEL))
            train.max_dynamic_shared_size_bytes = self.layout.shared_bytes
        except self._cupy.cuda.compiler.CompileException as error:
            raise MissingDependencyError(
                f"{_GPU}: NVRTC, the compiler that came with CuPy, does not compile the kernels for this GPU: "
                f"{textwrap.shorten(str(error), width=200, placeholder=' …')} Update CuPy, or train without {_GPU}."
            ) from error
        return draw, train

    def _resident_blocks(self) -> int:
        """Return how many blocks of threads a multiprocessor holds at a time."""
        driver, threads = self._cupy.cuda.driver, cuda_layout.TRAIN_THREADS
        kernel = self._train.kernel.ptr
        return int(driver.occupancyMaxActiveBlocksPerMultiprocessor(kernel, threads, self.layout.shared_bytes))

    def _upload_text(self, corpus: EncodedText, sampling: SamplingSettings) -> Text:
        keep_probability, table = build_distributions(corpus.word_counts, sampling)
        return Text(
            self._upload(corpus.word_ids),
            self._upload(corpus.sentence_offsets),
            self._upload(keep_probability),
            self._upload(table.own_share),
            self._upload(table.alias),
        )

    def _upload_sentences(self, text: Text, corpus: EncodedText) -> Text:
        """Return the text with other sentences and the same distributions."""
        return dataclasses.replace(
            text, word_ids=self._upload(corpus.word_ids), sentence_offsets=self._upload(corpus.sentence_offsets)
        )

    def _build_kept_words(self) -> KeptWords:
        room = cuda_layout.kept_room(self._model.window)
        ids, offsets, sentences, bounds = (
            self._cupy.empty((_LAUNCH_SPANS, size), dtype=self._cupy.int32) for size in (room, room, room, 3)
        )
        return KeptWords(ids, offsets, sentences, bounds)

    def _upload(self, array: NDArray[Any]) -> Any:
        """Return a copy on the device; asarray would first copy it, possibly gigabytes, into pinned memory."""
        copy = self._cupy.empty(array.shape, dtype=array.dtype)
        copy.set(array)
        return copy

    def _download(self, matrix: Any) -> NDArray[np.float32]:
        """Return a copy without padding, cut on the host: cutting on the device would take its memory twice."""
        host: NDArray[np.float32] = self._cupy.asnumpy(matrix)
        return host[:, : self._model.dim]


def fitting_layout(model: ModelSettings, negatives: int, shared_limit: int) -> Layout:
    """Return the layout of a block of words in the shared memory of a block of threads.

    Args:
        model: the model and its size.
        negatives: K.
        shared_limit: bytes of shared memory.

    Raises:
        ConfigError: it does not fit.
    """
    layout = cuda_layout.choose_layout(model, negatives, shared_limit)
    if layout is None:
        raise ConfigError(
            f"{_GPU}: the block algorithm keeps the words around a block in {shared_limit // _KIB} KiB of memory on "
            f"this GPU, too little for {option('window', model.window)} with "
            f"{option('negatives', negatives)} ({model.model}): lower one of them, or take "
            f"{option('algorithm', 'minibatch')}."
        )
    return layout


def device_bytes(corpus: EncodedText, held_out: EncodedText | None, layout: Layout) -> int:
    """Return the bytes of the device's memory that a training takes, without CUDA's own."""
    vocabulary = corpus.vocabulary_size
    texts = [corpus] if held_out is None else [corpus, held_out]
    sentences = sum(text.word_ids.nbytes + text.sentence_offsets.nbytes for text in texts)
    distributions, matrices = 3 * 4 * vocabulary, 2 * 4 * vocabulary * layout.dim
    kept = 3 * 4 * _LAUNCH_SPANS * cuda_layout.kept_room(layout.window)
    return sentences + distributions + matrices + kept


def check_device_memory(needed: int, free: int, total: int, *, dim: int, min_count: int) -> None:
    """Raise StorageError if the device has less free memory than is needed; all in bytes.

    dim, min_count: the settings that the message names.
    """
    if needed > free:
        raise StorageError(
            f"{_GPU}: this training takes {needed / _GIGABYTE:.2f} GB of the GPU's memory, and {free / _GIGABYTE:.2f} "
            f"of its {total / _GIGABYTE:.2f} GB are free: lower {option('dim')} ({dim}), raise "
            f"{option('min_count')} ({min_count}), close other programs on the GPU, or train without {_GPU}."
        )


def _padded(matrix: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Return the matrix, (V, D), with zeros added to its rows up to `dim`."""
    return np.pad(matrix, ((0, 0), (0, dim - matrix.shape[1])))
