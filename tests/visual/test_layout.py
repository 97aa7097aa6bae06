"""The map has the most frequent words, the neighbours that `similar` tells, and a page that no word can break."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from factories import similar
from w2v_cli.errors import ConfigError
from w2v_cli.vectors.keyed_vectors import KeyedVectors
from w2v_cli.visual.word_map.layout import MapOptions, draw_map
from w2v_cli.visual.word_map.page import render_page, save_map

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--",
    "]]>",
    "${x}",
    "$title",
    "\u2028",
    "&lt;",
    '"',
    "\\",
    "\r",
    "Río",
]


def some_vectors(words=40, *, dim=6, counts=True):
    draws = np.random.default_rng(9)
    vectors = draws.normal(size=(words, dim)).astype(np.float16)
    names = [f"w{word_id}" for word_id in range(words)]
    return KeyedVectors(vectors, names, np.arange(words) % 7 + 1 if counts else None)


def page_of(word_vectors, **texts):
    return render_page(draw_map(word_vectors, MapOptions()), **{"title": "novels", "facts": "made of words"} | texts)


class Parts(HTMLParser):
    """The elements of a page: [(tag, attributes, text)] of those whose text is no markup, and all tags."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.raw, self.inside = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.append(tag)
        self.inside = tag
        if tag in self.CDATA_CONTENT_ELEMENTS or tag == "title":
            self.raw.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):  # noqa: ARG002  the parser calls it so
        """Note where an element ends."""
        self.inside = None

    def handle_data(self, data):
        """Note the text of an element that has nothing else."""
        if self.raw and self.inside == self.raw[-1][0]:
            self.raw[-1][2] += data


def data_of(page):
    [text] = [text for _, attributes, text in Parts(page).raw if attributes.get("type") == "application/json"]
    return json.loads(text)


def unpacked(data, key, kind):
    return np.frombuffer(base64.b64decode(data[key]), kind)


def test_neighbours_are_those_of_similar():
    """Each word's neighbours and cosines are what `w2v similar` answers among the words of the map."""
    word_vectors = some_vectors(counts=False)

    drawn = draw_map(word_vectors, MapOptions(neighbours=5))

    for place, word in enumerate(drawn.words):
        expected = similar(word_vectors, word, top=5)
        assert [drawn.words[other] for other in drawn.neighbours[place]] == [one.word for one in expected]
        assert_allclose(drawn.cosines[place], [one.score for one in expected], atol=1e-6)


def test_the_most_frequent_words_are_chosen():
    """Words come by falling count, equal ones in the file's order; fewer where `min_count` says so."""
    word_vectors = some_vectors(14)

    assert draw_map(word_vectors, MapOptions(words=5)).words == ["w6", "w13", "w5", "w12", "w4"]
    assert draw_map(word_vectors, MapOptions(min_count=7)).words == ["w6", "w13"]
    with pytest.raises(ConfigError, match="no word occurs 8 times"):
        draw_map(word_vectors, MapOptions(min_count=8))


def test_words_without_counts_come_as_in_the_file():
    """The book's pickle has no counts: the first words are taken."""
    drawn = draw_map(some_vectors(counts=False), MapOptions(words=3))

    assert (drawn.words, drawn.counts) == (["w0", "w1", "w2"], None)


@pytest.mark.parametrize("words", [1, 2, 3])
def test_few_words_make_a_map(words):
    """One word has a place and no neighbours, two have each other."""
    drawn = draw_map(some_vectors(words), MapOptions())

    assert drawn.points.shape == (words, 2)
    assert drawn.neighbours.shape == (words, words - 1)
    assert len(data_of(page_of(some_vectors(words)))["words"]) == words


def test_the_data_are_the_map():
    """Unpacked as docs of `data_text` say, the page's numbers are the map's, within the steps of int16."""
    word_vectors = some_vectors()
    drawn = draw_map(word_vectors, MapOptions())

    data = data_of(page_of(word_vectors))

    assert data["words"] == drawn.words
    assert data["counts"] == drawn.counts.tolist()
    assert data["typical"] == drawn.typical
    assert_array_equal(unpacked(data, "neighbours", "<u2").reshape(40, 10), drawn.neighbours)
    assert_array_equal(unpacked(data, "clusters", "u1"), drawn.clusters)
    assert_allclose(unpacked(data, "cosines", "<i2").reshape(40, 10) / 10_000, drawn.cosines, atol=0.00006)
    points = unpacked(data, "points", "<i2").reshape(40, 2).astype(float)
    assert np.abs(points).max() == 32_767
    assert_allclose(
        np.ptp(points, axis=0) / np.ptp(points),
        np.ptp(drawn.points, axis=0) / np.ptp(drawn.points, axis=0).max(),
        rtol=1e-3,
    )


def test_no_word_can_break_the_page():
    """Markup in a word, in the title and in the facts stays text."""
    word_vectors = KeyedVectors(np.eye(len(HOSTILE), dtype=np.float16), HOSTILE)

    page = page_of(word_vectors, title=HOSTILE[0], facts=HOSTILE[0])

    parts = Parts(page)
    assert data_of(page)["words"] == HOSTILE
    assert parts.tags == Parts(page_of(some_vectors())).tags
    assert [text for tag, _, text in parts.raw if tag == "title"] == [HOSTILE[0]]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=5, unique=True))
def test_every_word_comes_through(words):
    """Whatever text words are, the page has them."""
    assert data_of(page_of(KeyedVectors(np.ones((len(words), 2), np.float32), words)))["words"] == words


def test_the_page_needs_and_allows_nothing_from_elsewhere():
    """The policy allows the page's own style and script, by hash, and nothing that loads; the page names no address."""
    page = page_of(some_vectors())

    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    for tag, attributes, text in Parts(page).raw:
        if tag == "style" or (tag == "script" and "type" not in attributes):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert re.findall(r"https?:|//\w+\.\w|@import|url\(", page) == []


def test_equal_maps_give_equal_bytes(tmp_path):
    """A page depends on the vectors and the plan alone; one that exists is kept."""
    for name in ("a.html", "b.html"):
        save_map(tmp_path / name, draw_map(some_vectors(), MapOptions()), title="t", facts="f", overwrite=False)

    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    with pytest.raises(ConfigError, match="overwrite"):
        save_map(tmp_path / "a.html", draw_map(some_vectors(), MapOptions()), title="t", facts="f", overwrite=False)


def test_many_words_have_wide_numbers():
    """Places beyond 65,535 take 32 bits."""
    drawn = draw_map(some_vectors(3), MapOptions())
    many = type(drawn)(**vars(drawn) | {"words": ["w"] * 65_536})

    data = data_of(render_page(many, title="t", facts="f"))

    assert data["neighbourBits"] == 32
    assert_array_equal(unpacked(data, "neighbours", "<u4"), drawn.neighbours.ravel())
