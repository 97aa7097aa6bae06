"""What the fuzzer has found: each case, made small, is refused in one short line, or read."""

import fcntl
import json
import pickle
import pickletools
import unicodedata

import numpy as np
import pytest

from w2v_cli.config import resolve
from w2v_cli.config.schema import Config
from w2v_cli.corpus import urls
from w2v_cli.corpus.tokenizer import ProseSplitter
from w2v_cli.corpus.vocabulary import build_vocabulary
from w2v_cli.datasets import download
from w2v_cli.datasets.download import PartialFile
from w2v_cli.errors import ConfigError, CorpusError, DownloadError, OutputInUseError, VectorsError, W2vError
from w2v_cli.pipeline.train import train_vectors
from w2v_cli.system.locks import hold, lock_path
from w2v_cli.system.machine import read_limits
from w2v_cli.training import snapshot
from w2v_cli.vectors import keyed_vectors, safetensors
from w2v_cli.vectors.formats import book_pickle
from w2v_cli.vectors.safetensors import Tensor, load_tensors, save_tensors

URL = "https://example.org/file"


def the_line(refusal):
    """Return the message of a refusal, which is one line and not long."""
    line = str(refusal.value)
    assert "\n" not in line
    assert "\r" not in line
    assert 0 < len(line) < 800
    return line


def resaved(path, metadata=None, **tensors):
    """Write a file anew, its digest made right, with other metadata or tensors (dtype, array)."""
    old, texts = load_tensors(path)
    names = {np.dtype(dtype).str: name for name, dtype in safetensors.NUMPY_TYPES.items()}
    content = {name: Tensor(names[array.dtype.str], array.shape, [np.array(array)]) for name, array in old.items()}
    content |= {name: Tensor(dtype, array.shape, [array]) for name, (dtype, array) in tensors.items()}
    del texts["format_version"]
    save_tensors(path, content, texts | (metadata or {}), overwrite=True)


@pytest.mark.parametrize("offsets", [[0.0, 16.0], [0, 16.0], [False, 16]])
def test_offsets_that_are_no_whole_numbers_are_refused(tmp_path, offsets):
    """0.0 equals 0, and a file whose digest is right said so: NumPy then raised TypeError."""
    entry = {"dtype": "I64", "shape": [2], "data_offsets": offsets}
    texts, data = {"format_version": "1"}, bytes(16)
    digest = safetensors.hashlib.sha256(data + safetensors._encode_header({"x": entry}, texts)).hexdigest()
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors._encode_header({"x": entry}, texts | {"sha256": digest}) + data)

    with pytest.raises(VectorsError, match=r"tensor 'x' is") as refusal:
        load_tensors(path)

    the_line(refusal)


@pytest.mark.parametrize(
    "number",
    ["NaN", "-Infinity", "1e999", "[" * 400 + "]" * 400, '{"a":' * 51 + "0" + "}" * 51],
    ids=lambda text: text[:9],
)
def test_metadata_that_are_none_of_ours_are_refused(tmp_path, monkeypatch, number):
    """A number that is none would be written again, and a nest was too deep for `w2v info`: RecursionError."""
    path = tmp_path / "x.safetensors"
    monkeypatch.setattr(
        safetensors.json,
        "dumps",
        lambda value, dumps=safetensors.json.dumps, **options: number if value == "odd" else dumps(value, **options),
    )
    save_tensors(path, {"x": Tensor("U8", (1,), [np.zeros(1, np.uint8)])}, {"loss": "odd"}, overwrite=True)
    monkeypatch.undo()

    with pytest.raises(VectorsError, match="its metadata is not JSON") as refusal:
        load_tensors(path)

    the_line(refusal)


@pytest.fixture
def stopped(tmp_path):
    """Return the config of a training that was stopped, and the path of its snapshot."""
    (tmp_path / "text.txt").write_text("the sea and the sky. the sky and the land!\n" * 20, encoding="utf-8")
    given = {
        "corpus": {"source": str(tmp_path / "text.txt"), "min_count": 1},
        "model": {"dim": 3},
        "sampling": {"subsample": 0.0},
        "training": {"backend": "numpy", "epochs": 3, "batch_size": 16, "threads": 1},
        "output": {"path": str(tmp_path / "w2v.safetensors")},
    }
    stopped = Config.model_validate(given)
    train_vectors(stopped, tmp_path / "data", lambda _: None, is_stop_wanted=lambda: True)
    return stopped, snapshot.snapshot_path(tmp_path / "w2v.safetensors")


CRAFTED_LOOPS = {
    "a list for an epoch": lambda loop: loop["reports"][-1].update(epoch=[]),
    "a text for a loss": lambda loop: loop["reports"][-1].update(mean_loss="x"),
    "a number for the scores": lambda loop: loop["reports"][-1].update(scores=3),
    "a name too many": lambda loop: loop["reports"][-1].update(x=3),
    "no reports": lambda loop: loop.update(reports=[]),
    "seconds beyond all numbers": lambda loop: loop.update(seconds=1e308),
    "seconds below zero": lambda loop: loop.update(seconds=-1e9),
    "a sum below zero": lambda loop: loop["sums"].update(epoch_pairs=-1),
    "a sum that is missing": lambda loop: loop["sums"].pop("epoch_pairs"),
    "an epoch below zero": lambda loop: loop.update(lowest_loss=1.0, best_epoch=-1),
}


@pytest.mark.parametrize("change", CRAFTED_LOOPS.values(), ids=CRAFTED_LOOPS.keys())
def test_a_training_does_not_go_on_from_a_crafted_loop(stopped, change):
    """TypeError in the middle of training, or numbers that the next snapshot could not hold: refused before."""
    given, path = stopped
    loop = json.loads(safetensors.load_tensors(path)[0]["loop"].tobytes())
    change(loop)
    encoded = safetensors.json.dumps(loop).encode()
    resaved(path, loop=("U8", np.frombuffer(encoded, np.uint8)))

    with pytest.raises(VectorsError) as refusal:
        train_vectors(given, path.parent / "data", lambda _: None, resume=())

    the_line(refusal)


def test_a_snapshot_holds_no_other_types_than_its_own(stopped):
    """Halves among the arrays were compared with a number that they cannot hold: a warning."""
    _, path = stopped
    resaved(path, halves=("F16", np.ones((2, 2), np.float16)))

    with pytest.raises(VectorsError, match="its 'halves' hold values that are not finite") as refusal:
        snapshot.load_snapshot(path)

    the_line(refusal)


@pytest.mark.parametrize(
    "note",
    [
        b"[" * 100_000,
        b'{"url": "URL", "validator": "\\ud800"}',
        b'{"url": "URL", "validator": "a\\nb"}',
        b'{"url": "URL", "validator": ["x"]}',
        b'{"url": "URL", "validator": "\xc4\x80"}',
    ],
    ids=range(5),
)
def test_a_damaged_note_begins_a_download_anew(tmp_path, note):
    """RecursionError, or a header that no request can send: what is here is not gone on with."""
    (tmp_path / "file.part").write_bytes(b"abc")
    (tmp_path / "file.part.json").write_bytes(note.replace(b"URL", URL.encode()))

    assert PartialFile(tmp_path / "file.part").resume(URL) == (0, {})


@pytest.mark.parametrize("holder", [b"process 1\non host", b"\r\n\n", b"\x1c\x85"])
def test_what_a_lock_holds_is_told_on_one_line(tmp_path, holder):
    """Whatever the file of a lock holds while another run has it."""
    path = lock_path(tmp_path / "x")
    path.write_bytes(holder)

    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputInUseError, match=r"x is being written by ") as refusal, hold(tmp_path / "x"):
            pass

    the_line(refusal)


def test_a_size_of_thousands_of_digits_is_none():
    """int() refuses so many: ValueError."""
    assert download.total_bytes({"Content-Length": "9" * 5000}, 0) is None


@pytest.mark.parametrize(
    "location", ["http://example.org/" + "x" * 50_000, "x" * 50_000 + ":", "https://[" + "x" * 50_000]
)
def test_a_long_redirect_is_told_in_short(location):
    """A server may send 60 kB of it."""
    with pytest.raises(DownloadError) as refusal:
        download.redirect_target(URL, location)

    the_line(refusal)


@pytest.mark.parametrize("url", ["http://[::1", "http://[x]y/z", "h://\r\r＃", "http://\u2100/"])
def test_a_url_of_odd_hosts_has_a_label(url):
    """A ValueError of urlsplit, for brackets that hold no address, and for letters that NFKC makes / or # of."""
    assert "".join(urls.redact_url(url).split()) == "".join(url.split())
    with pytest.raises(W2vError) as refusal, urls.open_url(url) as read:
        read(1)

    the_line(refusal)


def test_a_label_of_an_odd_url_has_no_secrets():
    """The name and the password are left out there, too."""
    assert urls.redact_url("http://me:secret@[x]y/z?signature") == "http://[x]y/z"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("".join(f"k{number}: 1\n" for number in range(2000)), 41),
        (f"corpus: {{? {'x' * 5000} : 1}}", 1),
        (f"? {'x' * 5000}\n: 1", 1),
        (f"model: &{'x' * 5000} y", 1),
        (f"model: !{'x' * 5000} y", 1),
    ],
    ids=["many problems", "a long setting", "a long section", "a long anchor", "a long tag"],
)
def test_a_config_is_refused_in_few_short_lines(tmp_path, text, lines):
    """However many problems it has, and however long its keys are."""
    path = tmp_path / "my.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError) as refusal:
        resolve.resolve(file=path)

    found = str(refusal.value).split("\n")
    assert len(found) == lines
    assert all(0 < len(line) <= 601 for line in found)
    assert found[0].startswith(f"{path}:1:")


@pytest.mark.parametrize("sets", [[f"{'x' * 5000}=1"], ["9" * 5000], ["model.dim" + "9" * 5000]])
def test_a_long_override_is_refused_in_a_short_line(sets):
    """So is what --set is given."""
    with pytest.raises(ConfigError, match=r"^--set ") as refusal:
        resolve.resolve(sets=sets)

    the_line(refusal)


@pytest.mark.parametrize("group", [b"0::/a\0b\n", b"0::/user\n"], ids=["a NUL", "many digits"])
def test_odd_files_of_the_system_are_no_limits(tmp_path, group):
    """A path with a NUL cannot be opened, and a number of thousands of digits cannot be read: ValueError."""
    for name, content in (
        ("proc/self/cgroup", group),
        ("sys/fs/cgroup/user/memory.max", b"9" * 5000),
        ("sys/fs/cgroup/user/memory.current", b"5"),
        ("proc/meminfo", b"MemAvailable: %s kB\nMemTotal: 1 kB\n" % (b"9" * 5000)),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    assert {limit.name for limit in read_limits(tmp_path)} <= {"memory of the machine", "free memory of the machine"}


def test_a_type_that_is_a_nest_of_dicts_is_refused(tmp_path):
    """The message showed it: RecursionError for a thousand dicts in dicts, in the place of a type's name."""
    nest = b"}K\x01" * 5000 + b"N" + b"s" * 5000
    content = pickle.dumps(
        {"word_vecs": np.ones((1, 2), np.float16), "word_to_id": {"a": 0}, "id_to_word": {0: "a"}}, 4
    ).replace(b"\x8c\x02f2", nest)
    (tmp_path / "x.pkl").write_bytes(content)

    with pytest.raises(VectorsError, match=r"its word_vecs have the type .* expected float16") as refusal:
        book_pickle.load(tmp_path / "x.pkl")

    the_line(refusal)


LONG = "x" * 5000


def test_long_words_are_told_in_short(tmp_path):
    """A word of kilobytes is in no message as a whole: twice in a file, not finite, or the only one of a text."""
    path = tmp_path / "x.safetensors"
    text, offsets = np.frombuffer((LONG * 2).encode(), np.uint8), np.array([0, len(LONG), 2 * len(LONG)], np.int64)
    keyed_vectors.save(path, keyed_vectors.KeyedVectors(np.ones((2, 2), np.float16), (LONG, "y")), overwrite=True)
    resaved(path, **{"vocabulary.bytes": ("U8", text), "vocabulary.offsets": ("I64", offsets)})
    nan = {"word_vecs": np.full((1, 2), np.nan, np.float16), "word_to_id": {LONG: 0}, "id_to_word": {0: LONG}}
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(nan))

    for read, cause in (
        (lambda: keyed_vectors.load(path), "occurs twice"),
        (lambda: book_pickle.load(tmp_path / "x.pkl"), "is not finite"),
        (lambda: build_vocabulary({LONG: 7}, min_count=1), "one word only"),
        (lambda: build_vocabulary({LONG: 7, "y": 1}, min_count=9), "occurs 7 times"),
    ):
        with pytest.raises((VectorsError, CorpusError), match=cause) as refusal:
            read()

        the_line(refusal)


def test_rows_of_marks_are_broken_by_joiners():
    """Normalising sorts a row of combining characters in the square of its length: 5 s for each 100 kB without them."""
    high, low = "\u0300", "\u0316"
    [word] = ProseSplitter()("e" + high * 2000 + low * 2000)

    rows = word.removeprefix("è").split("\u034f")
    assert {len(row) for row in rows} <= {30, 29, 10, 9}
    assert sum(map(len, rows)) == 3999
    assert all(list(map(unicodedata.combining, row)) == sorted(map(unicodedata.combining, row)) for row in rows)
    assert ProseSplitter()(word) == [word]


def test_marks_of_writing_stay_as_they_are():
    """A text that is long but holds no such rows is normalised as a short one is."""
    text = "e\u0301\u0316" * 1000

    assert ProseSplitter()(text) == [unicodedata.normalize("NFC", text)]


def test_squares_below_zero_are_refused(tmp_path):
    """The second moments of a crafted snapshot: NumPy warned of their root, and every vector became NaN."""
    squares = np.ones((2, 3), np.float32)
    state = {"input_vectors": squares, "input_second_moments": squares}
    snapshot.check_state(tmp_path / "x.snapshot", state, state)

    with pytest.raises(VectorsError, match="its squared gradients are below zero") as refusal:
        snapshot.check_state(tmp_path / "x.snapshot", state | {"input_second_moments": -squares}, state)

    the_line(refusal)


@pytest.mark.parametrize("pattern", ["\udcf0", "[\ud800-\udfff]"])
def test_a_pattern_of_half_characters_is_refused(pattern):
    """An argument that is no UTF-8 has them: they could be written into no file."""
    with pytest.raises(
        ConfigError, match=r"corpus\.token_pattern: must be a regular expression \(.*surrogates"
    ) as refusal:
        resolve.resolve(sets=[f"corpus.token_pattern={pattern}"])

    the_line(refusal).encode()


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_frame_of_a_pickle_ends_between_opcodes(tmp_path, protocol):
    """Where it ended elsewhere, the unpickler skipped bytes, and ran opcodes that nobody had looked at.

    It is then refused before; a frame in a frame, too. At each other place the file is what it was.
    """
    book_like = {
        "word_vecs": np.ones((2, 3), np.float16),
        "word_to_id": {"a": 0, "b": 1},
        "id_to_word": {0: "a", 1: "b"},
    }
    content = pickle.dumps(book_like, protocol)
    assert content[2:3] == pickle.FRAME
    begins = [place for _, _, place in pickletools.genops(content) if place >= 11]
    path, read = tmp_path / "x.pkl", []

    for end in range(11, len(content)):
        path.write_bytes(content[:3] + (end - 11).to_bytes(8, "little") + content[11:])
        try:
            assert book_pickle.load(path).words == ("a", "b")
            read.append(end)
        except VectorsError as error:
            assert f"its frame ends at byte {end:,}, within an opcode" in str(error)  # noqa: PT017
    path.write_bytes(content[:11] + pickle.FRAME + bytes(8) + content[11:])
    with pytest.raises(VectorsError, match="within an opcode"):
        book_pickle.load(path)

    assert read == begins


def test_what_pickle_says_on_two_lines_is_told_on_one(tmp_path, monkeypatch):
    """As it does of an object that another file is to hold."""
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({}, 0))
    monkeypatch.setattr(book_pickle, "_check_opcodes", lambda _: pickle.loads(b"Pother\n."))  # noqa: S301  ours

    with pytest.raises(VectorsError, match=r"persistent id .* persistent_load") as refusal:
        book_pickle.load(tmp_path / "x.pkl")

    the_line(refusal)
