"""A corpus → its vocabulary and its rounds, read by the workers of a cluster: files are looked at, then counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter

from w2v_cli.cluster.pool import Cluster, Work
from w2v_cli.cluster.shards import Round, plan_rounds
from w2v_cli.cluster.tally import Tally, TallySum
from w2v_cli.config.schema import Config
from w2v_cli.corpus.fingerprint import hash_of
from w2v_cli.corpus.parts import FileFacts
from w2v_cli.corpus.report import ScanReport
from w2v_cli.corpus.scan import OnRead, ScannedCorpus, add_end_of_line, choose_words
from w2v_cli.corpus.scan_warnings import find_warnings
from w2v_cli.corpus.sources import STDIN, Source, no_text_in
from w2v_cli.errors import ConfigError

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
    """What is to be read; what is no text, with the reason; what is HTML."""

    texts: _FewFiles = field(default_factory=list)
    other_data: list[str] = field(default_factory=list)
    web_pages: list[str] = field(default_factory=list)


def scan_on(
    cluster: Cluster,
    sources: Sequence[Source],
    config: Config,
    on_read: OnRead = lambda _done, _total: None,
) -> ClusterCorpus:
    """Look at the files, count their words and plan the rounds; the result does not depend on the workers.

    on_read: hears of the bytes that have been counted, unpacked. Raises ConfigError for stdin, CorpusError where the
    text cannot be read or holds too few words, ClusterError.
    """
    refuse_stdin(source.place for source in sources)
    files = _inspect(cluster, sources, config)
    total = _count(cluster, files, sources, config, on_read)
    add_end_of_line(total.words, total.lines, config.corpus)
    found = int(total.words.counts.sum()) + total.lost_occurrences
    vocabulary, _ = choose_words(total.words, total, total, config.corpus)
    hashes = [hash_of([digest for _, digest in parts]) for _, parts in groupby(total.digests, key=itemgetter(0))]
    report = ScanReport(
        files=len(hashes),
        size_bytes=total.size_bytes,
        words=found,
        sentences=None,
        rare_words=len(total.words) - len(vocabulary),
        rare_occurrences=found - total.lost_occurrences - vocabulary.kept_words,
        forgotten_words=total.lost_words,
        forgotten_occurrences=total.lost_occurrences,
        long_tokens=total.long_tokens,
        long_bytes=total.long_bytes + total.cut_bytes,
        invalid_characters=total.invalid_characters,
        blank_lines=total.blank_lines,
        nul_bytes=sum(nuls for nuls, _ in total.nuls_in.values()),
        other_files=len(total.other_data),
    )
    corpus = ScannedCorpus(vocabulary, hash_of(hashes).hex(), find_warnings(total, total, config.corpus), report)
    return ClusterCorpus(corpus, plan_rounds(files.texts, vocabulary.kept_words, config.cluster))


def refuse_stdin(places: Iterable[str]) -> None:
    """Raise ConfigError where one of them is stdin."""
    if STDIN in places:
        raise ConfigError("workers of a cluster cannot read stdin (-): name files that all of them see, or URLs.")


def _inspect(cluster: Cluster, sources: Sequence[Source], config: Config) -> _Files:
    """Return what there is to be read; raise CorpusError for a folder without text."""
    batches = [sources[first : first + _FILES_AT_ONCE] for first in range(0, len(sources), _FILES_AT_ONCE)]
    works = [
        Work("inspect", (batch, config.corpus), f"a look at {batch[0].label} and other files") for batch in batches
    ]
    files = _Files()
    for batch, found in zip(batches, cluster.run_in_order(works), strict=True):
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


def _count(cluster: Cluster, files: _Files, sources: Sequence[Source], config: Config, on_read: OnRead) -> TallySum:
    """Return what the workers have counted, added up in the order of the text; the size of each file is known then."""
    label = sources[0].label if len(sources) == 1 else f"the corpus of {len(sources):,} files"
    total = TallySum(config.corpus, label, files.other_data, web_pages=files.web_pages)
    batches = list(_batches(files.texts))
    works = [Work("count", (batch, config.corpus), f"counting {batch[0].label}") for batch in batches]
    tallies: Iterator[Tally] = cluster.run_in_order(works)
    sizes = {}
    is_known = all(facts.has_parts for _, facts in files.texts)  # unpacked, as what is counted
    all_bytes = sum(facts.size or 0 for _, facts in files.texts) if is_known else None
    for batch, tally in zip(batches, tallies, strict=True):
        total.add(tally)
        on_read(total.size_bytes, all_bytes)
        sizes[batch[0].place] = tally.size_bytes
    files.texts = [
        (source, facts if facts.size is not None else replace(facts, size=sizes[source.place]))
        for source, facts in files.texts
    ]
    return total


def _batches(files: _FewFiles) -> Iterator[list[Source]]:
    """Yield parts of the text, some at a time where they are small; a file of unknown size comes alone."""
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
