"""Texts at URLs: read as a stream, taken up again where that is possible, refused with a cause."""

import asyncio
import gzip
import threading
from types import SimpleNamespace

import pytest

from http_server import Answer, File, running_server
from w2v_cli.config.schema import CorpusSettings
from w2v_cli.corpus import urls
from w2v_cli.corpus.parts import inspect_file, open_text
from w2v_cli.corpus.scan import scan_corpus
from w2v_cli.corpus.sources import Source, find_sources
from w2v_cli.errors import CorpusError, DownloadError

URL = pytest.importorskip("yarl", reason="the extra remote is not installed: NOT run").URL
fsspec = pytest.importorskip("fsspec", reason="the extra remote is not installed: NOT run")
pytest.importorskip("aiohttp", reason="the extra remote is not installed: NOT run")

BODY = "".join(f"line {number} of größe\n" for number in range(20_000)).encode()
HALF = len(BODY) // 2
TAGGED = {"ETag": '"one"'}


@pytest.fixture
def server(monkeypatch):
    """Yield a server, with no waiting between tries."""
    monkeypatch.setattr(urls, "_RETRY_SECONDS", (0.0, 0.0, 0.0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with running_server() as running:
        yield running


@pytest.fixture
def half(server):
    """Return a function that makes an answer of half the text, which breaks off when some of it has been taken."""

    def answer(headers):
        return Answer(200, BODY, headers, sent=HALF, held_until=server.taken)

    server.taken = threading.Event()
    return answer


@pytest.fixture
def memory():
    """Return fsspec's file system in memory, empty."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def read(url, portion=50_000, taken=None):
    """Return all bytes at a URL; taken: an event to set when the first of them are here."""
    with urls.open_url(url) as read_some:
        first = read_some(portion)
        if taken is not None:
            assert first
            taken.set()
        return first + b"".join(iter(lambda: read_some(portion), b""))


def refusal_of(url, kind=DownloadError, taken=None):
    """Return the message that refuses a URL."""
    with pytest.raises(kind) as refusal:
        read(url, taken=taken)
    return str(refusal.value)


def test_a_text_is_read_in_one_request(server):
    """A server that knows neither ranges nor HEAD is enough."""
    server.script["/x.txt"] = [Answer(200, BODY)]

    assert read(server.url("/x.txt")) == BODY
    assert len(server.requests["/x.txt"]) == 1


def test_a_text_that_breaks_off_is_taken_up_again(server, half):
    """What was read is not asked for again; the rest comes by ranges, of the same version."""
    server.script["/x.txt"] = [half(TAGGED), File(BODY)]

    assert read(server.url("/x.txt"), taken=server.taken) == BODY
    ranges = [headers["Range"] for headers in server.requests["/x.txt"] if "Range" in headers]
    assert 0 < int(ranges[0].removeprefix("bytes=").split("-")[0]) <= HALF


@pytest.mark.parametrize(
    ("then", "kind", "cause"),
    [
        (File(BODY, etag='"two"'), CorpusError, "changed while it was read"),
        (Answer(404), DownloadError, "there is no such file"),
    ],
)
def test_halves_of_two_versions_are_not_joined(server, half, then, kind, cause):
    """Where the file is another one by now, or gone, reading ends."""
    server.script["/x.txt"] = [half(TAGGED), then]

    assert cause in refusal_of(server.url("/x.txt"), kind, server.taken)


def test_a_text_without_a_version_is_not_taken_up_again(server, half):
    """Nobody could tell whether it is the same one."""
    server.script["/x.txt"] = [half({}), File(BODY)]

    assert "broke off at byte" in refusal_of(server.url("/x.txt"), taken=server.taken)


@pytest.mark.parametrize(("status", "tries"), [(500, 4), (503, 4), (429, 4), (404, 1), (403, 1), (410, 1)])
def test_a_failure_that_may_pass_is_tried_again(server, status, tries):
    """A server's failure is asked for again some times, a refusal is not; both end in exit 5 with the cause."""
    server.script["/x.txt"] = [Answer(status)]
    message = refusal_of(server.url("/x.txt"))

    assert ("there is no such file" if status == 404 else str(status)) in message
    assert len(server.requests["/x.txt"]) == tries


def test_a_failure_that_passes_is_no_failure(server):
    """After two failures the third try counts."""
    server.script["/x.txt"] = [Answer(500), Answer(503), Answer(200, BODY)]

    assert read(server.url("/x.txt")) == BODY


def test_a_server_that_sends_parts_is_found_out(server):
    """By asking for one byte: what it says of itself is often left out. Without a mark nobody could tell versions."""
    server.script["/parts.txt"] = [File(BODY)]
    server.script["/whole.txt"] = [Answer(200, BODY, TAGGED)]
    server.script["/unmarked.txt"] = [Answer(200, BODY)]

    assert urls.inspect_url(server.url("/parts.txt")) == {"ETag": '"one"', "size": len(BODY)}
    assert urls.inspect_url(server.url("/whole.txt")) == {"ETag": '"one"', "size": None}
    assert urls.inspect_url(server.url("/unmarked.txt")) == {"size": None}


def test_parts_of_a_text_are_the_text(server):
    """Each part begins and ends with a line, and little is asked for twice."""
    server.script["/x.txt"] = [File(BODY)]
    source = Source(server.url("/x.txt"))
    facts, _ = inspect_file(source)
    server.requests.clear()

    texts = []
    for part, _ in facts.parts(source, len(BODY) // 7):
        with open_text(part) as read_some:
            texts.append(b"".join(iter(lambda: read_some(50_000), b"")))

    assert (facts.has_parts, len(texts)) == (True, 7)
    assert b"".join(texts) == BODY
    assert all(text.endswith(b"\n") for text in texts)
    asked = [headers["Range"].removeprefix("bytes=").split("-") for headers in ranges_of(server, "/x.txt")]
    assert sum(int(last) + 1 - int(first) for first, last in asked) < len(BODY) + 14 * 5000


def ranges_of(server, path):
    return [headers for headers in server.requests[path] if "Range" in headers]


def test_a_part_is_tried_again(server):
    """Where a server's failure passes, whichever request it was."""
    source = Source(server.url("/x.txt"))
    for bad in ([503], [503] * 3, [200, 503, 503]):
        steps = [File(BODY) if status == 200 else Answer(status) for status in bad]
        server.script["/x.txt"], server.requests["/x.txt"] = [*steps, File(BODY)], []
        facts, _ = inspect_file(source)
        assert facts.has_parts
    part = facts.part(source, 0, HALF)
    server.script["/x.txt"], server.requests["/x.txt"] = [Answer(503), File(BODY), Answer(503), File(BODY)], []

    with open_text(part) as read_some:
        text = b"".join(iter(lambda: read_some(50_000), b""))

    assert text == BODY[: BODY.index(b"\n", HALF - 1) + 1]


def test_a_part_of_another_version_is_refused(server):
    """The text that was shared out is the one that is read."""
    server.script["/x.txt"] = [File(BODY)]
    source = Source(server.url("/x.txt"))
    facts, _ = inspect_file(source)
    server.script["/x.txt"] = [File(BODY, etag='"two"')]

    with pytest.raises(CorpusError, match="changed while it was read"), open_text(facts.part(source, 0, HALF)) as read:
        read(1)


def test_redirects_are_followed(server):
    """To another place; not from https to http, where anybody could have changed the text."""
    server.script["/x.txt"] = [Answer(302, headers={"Location": server.url("/y.txt")})]
    server.script["/y.txt"] = [Answer(200, BODY)]

    assert read(server.url("/x.txt")) == BODY


def test_a_redirect_from_https_to_http_is_refused():
    """There anybody could have changed the text."""

    def redirect(url, target):
        response = SimpleNamespace(headers={"Location": target})
        asyncio.run(urls._refuse_downgrade(None, None, SimpleNamespace(url=URL(url), response=response)))

    redirect("http://a.example/x", "http://b.example/y")
    redirect("https://a.example/x", "https://b.example/y")
    redirect("https://a.example/x", "/y")
    with pytest.raises(DownloadError, match=r"https://a\.example/x leads to http://b\.example/y, which anyone"):
        redirect("https://a.example/x", "http://b.example/y")


def test_nobody_at_home_is_told(server):
    """A port that nobody listens to ends in exit 5, without the password and the signature in the URL."""
    url = server.url("/x.txt?signature=5f5f").replace("//", "//me:secret@")
    server.shutdown()
    server.server_close()
    message = refusal_of(url)

    assert f"cannot read {server.url('/x.txt')}" in message
    assert not any(secret in message for secret in ("secret", "5f5f"))


@pytest.mark.parametrize("status", [404, 500])
def test_secrets_are_not_told(server, status):
    """No name, password or signature of a URL is in a message, nor is what a package says of it."""
    server.script["/x.txt?signature=5f5f"] = [Answer(status)]
    message = refusal_of(server.url("/x.txt?signature=5f5f").replace("//", "//me:secret@"))

    assert not any(secret in message for secret in ("me:", "secret", "5f5f"))


def test_a_compressed_text_is_scanned_from_the_web(server):
    """Files here and there are one corpus; its hash does not tell where they lie."""
    server.script["/x.gz"] = [Answer(200, gzip.compress(BODY))]
    corpus = scan_corpus(find_sources([server.url("/x.gz"), server.url("/x.gz")]), CorpusSettings()).corpus

    assert corpus.report.files == 2
    assert corpus.report.size_bytes == 2 * len(BODY)


def test_a_pattern_and_a_folder_of_a_store_are_their_files(memory):
    """As on a disk: sorted, and without what is empty or hidden; a single file is itself, there or not."""
    for name in ("b.txt", "a.txt", ".hidden", "c/d.txt", "c/.e/f.txt"):
        memory.pipe(f"/texts/{name}", b"a b\n")
    memory.pipe("/texts/empty.txt", b"")

    assert urls.find_urls("memory://texts") == [
        "memory:///texts/a.txt",
        "memory:///texts/b.txt",
        "memory:///texts/c/d.txt",
    ]
    assert urls.find_urls("memory://texts/[ab].txt") == ["memory:///texts/a.txt", "memory:///texts/b.txt"]
    assert urls.find_urls("memory://texts/a.txt") == ["memory://texts/a.txt"]
    assert urls.find_urls("memory://texts/none.txt") == ["memory://texts/none.txt"]
    assert [source.folder for source in find_sources(["memory://texts"])] == ["memory://texts"] * 3
    with pytest.raises(CorpusError, match="no text at memory://texts/"):
        urls.find_urls("memory://texts/*.pdf")


def test_a_store_s_file_is_read_in_blocks(memory, monkeypatch):
    """It is read to its end, and refused where it is shorter than the store said."""
    monkeypatch.setattr(urls, "_BLOCK_BYTES", 1000)
    memory.pipe("/x.txt", BODY)

    assert read("memory://x.txt") == BODY
    assert "there is no such file" in refusal_of("memory://none.txt")


def test_a_store_that_nobody_knows_is_refused():
    """Exit 3, with what fsspec says."""
    assert "cannot read nonsense://x: Protocol not known: nonsense" in refusal_of("nonsense://x", CorpusError)
