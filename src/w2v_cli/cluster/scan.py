"""The scan of a corpus by the workers of a cluster: they inspect the files, then count the words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from w2v_cli.cluster.pool import Cluster, Task
from w2v_cli.cluster.shards import Round, plan_rounds
from w2v_cli.config.schema import ClusterSettings, CorpusSettings
from w2v_cli.corpus.encode import forget_rare_words, is_full
from w2v_cli.corpus.parts import FileFacts
from w2v_cli.corpus.reader import combine_digests
from w2v_cli.corpus.report import TextCounts
from w2v_cli.corpus.scan import OnRead, ScannedCorpus, add_end_of_line, choose_words, describe_corpus
from w2v_cli.corpus.sources import STDIN, Source, label_of_corpus, no_text_in
from w2v_cli.corpus.word_table import WordTable
from w2v_cli.errors import ConfigError

if TYPE_CHECKING:
    from w2v_cli.cluster.tasks import CountedParts

PART_BYTES = 1 << 26  # of a file that is counted as one: the fingerprint of a longer one is that of its parts
_MOST_TASKS = 1024  # of larger parts, so that their words do not have to be sent too often
_FILES_AT_ONCE = 200
_FewFiles = list[tuple[Source, FileFacts]]


@dataclass(frozen=True)
class ClusterCorpus:
    """A corpus as the driver knows it, without its text, and the rounds of an epoch."""

    corpus: ScannedCorpus
    rounds: tuple[Round, ...]


@dataclass
class _Files:
    """The files to read; the reasons why others are not text; the files that are HTML."""

    texts: _FewFiles = field(default_factory=list)
    other_data: list[str] = field(default_factory=list)
    web_pages: list[str] = field(default_factory=list)


def scan_on(
    cluster: Cluster,
    sources: Sequence[Source],
    settings: CorpusSettings,
    rounds: ClusterSettings,
    on_read: OnRead = lambda _done, _total: None,
) -> ClusterCorpus:
    """Inspect the files, count their words and plan the rounds; the result does not depend on the workers.

    Args:
        cluster: what runs the tasks.
        sources: the files, in the order of the text.
        settings: how to read them.
        rounds: how many shards a round has, and how long they are.
        on_read: called with the bytes counted so far, unpacked, and with all bytes if they are known.

    Raises:
        ConfigError: a source is stdin.
        CorpusError: the text cannot be read or holds too few words.
        ClusterError: the cluster failed.
    """
    refuse_stdin(source.place for source in sources)
    files = _inspect(cluster, sources, settings)
    words, counts = _count(cluster, files, settings, on_read)
    add_end_of_line(words, counts.lines, settings)
    label = label_of_corpus(sources)
    vocabulary, _ = choose_words(words, label, counts, settings)
    digests = [combine_digests([digest for _, digest in parts]) for _, parts in groupby(counts.digests, itemgetter(0))]
    corpus = describe_corpus(words, vocabulary, label, counts, settings, digests=digests, sentences=None)
    return ClusterCorpus(corpus, plan_rounds(files.texts, vocabulary.kept_words, rounds))


def refuse_stdin(places: Iterable[str]) -> None:
    """Raise ConfigError if a place is stdin."""
    if STDIN in places:
        raise ConfigError("workers of a cluster cannot read stdin (-): name files that all of them see, or URLs.")


def _inspect(cluster: Cluster, sources: Sequence[Source], settings: CorpusSettings) -> _Files:
    """Return the files to read; raise CorpusError for a folder without text."""
    batches = [sources[first : first + _FILES_AT_ONCE] for first in range(0, len(sources), _FILES_AT_ONCE)]
    tasks = [Task("inspect", (batch, settings), f"a look at {batch[0].label} and other files") for batch in batches]
    files = _Files()
    for batch, found in zip(batches, cluster.run_in_order(tasks), strict=True):
        for source, seen in zip(batch, found, strict=True):
            if seen.facts is None:
                files.other_data.append(seen.refusal)
            else:
                files.texts.append((source, seen.facts))
            files.web_pages += [source.label] * seen.is_web_page
    folders = {source.folder for source, _ in files.texts}
    for source in sources:
        if source.folder not in folders:
            raise no_text_in(str(source.folder))
    return files


def _count(cluster: Cluster, files: _Files, settings: CorpusSettings, on_read: OnRead) -> tuple[WordTable, TextCounts]:
    """Return the words and the other counts of the text, added up in its order; files of unknown size receive it.

    Whenever more than max_vocab different words have been seen, the rarer half is forgotten.
    """
    words, total = WordTable(), TextCounts(other_data=files.other_data, web_pages=files.web_pages)
    batches = list(_batches(files.texts))
    tasks = [Task("count", (batch, settings), f"counting {batch[0].label}") for batch in batches]
    counted: Iterator[CountedParts] = cluster.run_in_order(tasks)
    sizes = {}
    is_known = all(facts.has_parts for _, facts in files.texts)  # decompressed, as what is counted
    all_bytes = sum(facts.size or 0 for _, facts in files.texts) if is_known else None
    for batch, parts in zip(batches, counted, strict=True):
        words.add_words(*parts.words)
        total += parts.counts
        if is_full(words, settings):
            words, _ = forget_rare_words(words, settings, total)
        on_read(total.size_bytes, all_bytes)
        sizes[batch[0].place] = parts.counts.size_bytes
    files.texts = [
        (source, facts if facts.size is not None else replace(facts, size=sizes[source.place]))
        for source, facts in files.texts
    ]
    return words, total


def _batches(files: _FewFiles) -> Iterator[list[Source]]:
    """Yield parts of the text, some at a time if they are small; a file of unknown size comes alone."""
    size = sum(facts.size or 0 for _, facts in files)
    wanted = max(PART_BYTES, size // _MOST_TASKS)
    batch: list[Source] = []
    batch_bytes = 0
    for source, facts in files:
        for part, part_bytes in facts.parts(source, PART_BYTES):
            is_full = batch_bytes + part_bytes > wanted or len(batch) >= _FILES_AT_ONCE
            if batch and (is_full or facts.size is None):
                yield batch
                batch, batch_bytes = [], 0
            batch.append(part)
            batch_bytes += part_bytes if facts.size is not None else wanted + 1
    if batch:
        yield batch
