"""The examples of an epoch against plain loops over sentences, centres and windows."""

import dataclasses
import functools
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from w2v_cli.corpus.encoded_text import EncodedText
from w2v_cli.kernels.minibatch import batches
from w2v_cli.kernels.minibatch.batches import BatchBuilder
from w2v_cli.kernels.philox import philox
from w2v_cli.kernels.sampling import draw_kept, keep_probabilities
from w2v_cli.kernels.windows import NO_WORD

SEED = (3 << 32) | 1
models = pytest.mark.parametrize("model", ["cbow", "skipgram"])
SENTENCES = [[0, 1, 2, 0, 3, 0, 4], [5], [0, 5, 6, 1, 0, 0, 2, 7, 0, 1, 3, 0, 0, 8, 1], [2, 0]] * 3


def corpus_of(sentences):
    """Return a corpus of the given word ids; ids must be 0 to V - 1, each used."""
    word_ids = np.array([word for sentence in sentences for word in sentence], np.int32)
    counts = np.bincount(word_ids)
    return EncodedText(word_ids, np.cumsum([0, *map(len, sentences)], dtype=np.int64), counts.astype(np.int64))


SMALL = {"window": 3, "shrink_window": False, "negatives": 3, "batch_size": 4, "epochs": 2}
config_of = functools.partial(factories.config_of, seed=SEED, subsample=0.0, **SMALL)


def builder_of(sentences, **settings):
    config = config_of(**settings)
    return BatchBuilder(corpus_of(sentences), config.model, config.sampling, config.training)


def epoch_of(sentences, epoch=0, **settings):
    """Return the batches of an epoch in one list."""
    builder = builder_of(sentences, **settings)
    return [batch for some in builder.iterate_epoch(epoch) for batch in some]


def examples_in(found):
    """Return (inputs, target) of each example, the inputs a tuple from left to right."""
    return [
        (tuple(word for word in inputs.tolist() if word != NO_WORD), int(target))
        for batch in found
        for inputs, target in zip(batch.inputs, batch.targets, strict=True)
    ]


def plain_examples(sentences, epoch, model, window, *, shrink_window, partial_windows, subsample):
    """Return the examples by loops, from the draws of docs/adr/0002: purpose 1 gives 1 to window for a position."""
    corpus = corpus_of(sentences)
    kept = set(draw_kept(SEED, epoch, corpus.word_ids, keep_probabilities(corpus.word_counts, subsample)))
    examples, offset = [], 0
    for sentence in sentences:
        positions = [position for position in range(offset, offset + len(sentence)) if position in kept]
        offset += len(sentence)
        words = [int(corpus.word_ids[position]) for position in positions]
        for i, position in enumerate(positions):
            drawn = int(philox(np.array([position, 0, epoch, 1], np.uint32), (1, 3))[0])
            reach = 1 + (drawn * window >> 32) if shrink_window else window
            left, right = words[max(0, i - reach) : i], words[i + 1 : i + 1 + reach]
            if not (left + right) or (not partial_windows and not len(left) == len(right) == reach):
                continue
            if model == "cbow":
                examples.append((tuple(left + right), words[i]))
            else:
                examples += [((words[i],), context) for context in left + right]
    return examples


def with_all_ids(sentences):
    """Return the sentences with word ids renumbered from 0 without gaps."""
    ids = {word: new for new, word in enumerate(dict.fromkeys(word for words in sentences for word in words))}
    return [[ids[word] for word in words] for words in sentences]


sentence_lists = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=12), min_size=1, max_size=6).filter(
    lambda sentences: len({word for words in sentences for word in words}) > 1
)


@models
@given(
    sentence_lists.map(with_all_ids),
    st.integers(0, 2),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.02]),
)
def test_examples_are_those_of_plain_loops(model, sentences, epoch, window, shrink_window, partial_windows, subsample):
    """Each centre that has a window comes exactly once an epoch, with its context, and nothing crosses a sentence."""
    windows = {
        "shrink_window": shrink_window,
        "partial_windows": partial_windows,
        "subsample": subsample,
    }
    found = epoch_of(sentences, epoch, model=model, window=window, **windows)

    assert Counter(examples_in(found)) == Counter(plain_examples(sentences, epoch, model, window, **windows))


def test_a_small_corpus_worked_out_by_hand():
    """The windows of two short sentences, window 2, as anybody would write them down."""
    sentences = [[0, 1, 2, 3], [4, 5]]
    cbow = {((1, 2), 0), ((0, 2, 3), 1), ((0, 1, 3), 2), ((1, 2), 3), ((5,), 4), ((4,), 5)}
    whole = {((0, 1, 3, 4), 2), ((1, 2, 4, 5), 3)}

    assert set(examples_in(epoch_of(sentences, window=2))) == cbow
    assert set(examples_in(epoch_of([[0, 1, 2, 3, 4, 5]], window=2, partial_windows=False))) == whole
    assert sorted(examples_in(epoch_of([[0, 1, 2]], model="skipgram", window=1))) == [
        ((0,), 1),
        ((1,), 0),
        ((1,), 2),
        ((2,), 1),
    ]


@models
def test_arrays_are_what_kernels_take(model):
    """All three arrays are int32, rows of NO_WORD filled up, and a batch counts its centres."""
    found = epoch_of(SENTENCES, model=model, window=2, batch_size=7)

    for batch in found:
        assert batch.inputs.dtype == batch.targets.dtype == batch.negatives.dtype == np.int32
        assert batch.inputs.shape == (len(batch.targets), 4 if model == "cbow" else 1)
        assert batch.negatives.shape == (len(batch.targets), 3)
    assert [batch.centres for batch in found] == [7] * 10 + [2]  # 72 words have a neighbour


@models
def test_negatives_are_never_their_target(model):
    """Nor ids that no word has; even with few words and a frequent one."""
    for batch in epoch_of(SENTENCES, model=model, negatives=5):
        assert (batch.negatives != batch.targets[:, None]).all()
        assert ((batch.negatives >= 0) & (batch.negatives < 9)).all()


def test_contexts_of_one_centre_have_negatives_of_their_own():
    """In skip-gram each pair has draws of its own, also where one word fills most of them and is drawn again."""
    (batch,) = epoch_of([[0] * 600 + list(range(60))], model="skipgram", batch_size=660, negatives=4)
    has_same_target = batch.targets[1:] == batch.targets[:-1]

    is_same = (batch.negatives[1:] == batch.negatives[:-1])[has_same_target]
    assert is_same.mean() < 0.05  # by chance 1 in 59


def assert_equal_batches(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for field in dataclasses.fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name


@models
def test_the_same_seed_gives_the_same_batches(model):
    """Batch for batch, in any epoch, also when other epochs were built before."""
    settings = {"model": model, "shrink_window": True, "subsample": 0.02}
    builder = builder_of(SENTENCES, **settings)
    list(builder.iterate_epoch(0))

    again = [batch for some in builder.iterate_epoch(1) for batch in some]
    assert_equal_batches(again, epoch_of(SENTENCES, 1, **settings))


@models
@pytest.mark.parametrize("chunk_centres", [1, 7, 8, 1000])
def test_batches_do_not_depend_on_how_many_are_drawn_at_a_time(model, chunk_centres, monkeypatch):
    """Chunks smaller than a batch, of some batches and larger than the epoch give the same batches."""
    settings = {"model": model, "shrink_window": True, "subsample": 0.05, "batch_size": 5}
    expected = epoch_of(SENTENCES, **settings)
    monkeypatch.setattr(batches, "_CHUNK_CENTRES", chunk_centres)

    assert_equal_batches(epoch_of(SENTENCES, **settings), expected)


@pytest.mark.parametrize(("epoch", "seed"), [(1, SEED), (0, SEED + 1), (0, SEED + (1 << 32))])
def test_epochs_and_seeds_draw_anew(epoch, seed):
    """Another epoch or seed has another order, other windows and other negatives for the same target."""
    sentences = [list(range(100))]
    (first,) = epoch_of(sentences, shrink_window=True, batch_size=100)
    (other,) = epoch_of(sentences, epoch, seed=seed, shrink_window=True, batch_size=100)

    assert first.targets.tolist() != other.targets.tolist()
    assert set(examples_in([first])) != set(examples_in([other]))
    assert (first.negatives[np.argsort(first.targets)] != other.negatives[np.argsort(other.targets)]).mean() > 0.9


def test_centres_are_shuffled_evenly():
    """Over 600 epochs each of six centres comes first a hundred times, within 5 standard deviations (46)."""
    builder = builder_of([[0, 1, 2, 3, 4, 5]], batch_size=6, epochs=600)
    firsts = Counter(int(next(builder.iterate_epoch(epoch))[0].targets[0]) for epoch in range(600))

    assert set(firsts) == set(range(6))
    assert all(abs(count - 100) < 46 for count in firsts.values())


@models
def test_progress_rises_to_exactly_one(model):
    """It grows with each batch by the share of the epoch's centres in it, and ends at 1 with the last epoch."""
    progress = [batch.progress for epoch in (0, 1) for batch in epoch_of(SENTENCES, epoch, model=model, batch_size=7)]

    assert all(earlier < later for earlier, later in pairwise([0, *progress]))
    assert progress[len(progress) // 2 - 1] == 0.5
    assert progress[-1] == 1


def test_an_epoch_without_any_window_has_no_batches():
    """Sentences of one word have nothing to learn from."""
    assert epoch_of([[0], [1], [0]]) == []


def test_no_context_reaches_over_a_sentence_border():
    """With a window as long as the corpus, sentences still keep to themselves."""
    sentences = [[0, 1], [2, 3, 4], [5, 6]]
    pairs = {(centre, target) for (centre,), target in examples_in(epoch_of(sentences, model="skipgram", window=9))}

    assert pairs == {(a, b) for words in sentences for a in words for b in words if a != b}
