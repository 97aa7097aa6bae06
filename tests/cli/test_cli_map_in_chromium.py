"""The map in a real Chromium: found by typing, followed by clicking, by keyboard, on a phone, in light and dark."""

import json
import os
import shutil

import numpy as np
import pytest

from w2v_cli.vectors import keyed_vectors
from w2v_cli.vectors.keyed_vectors import KeyedVectors

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("W2V_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "</script><script>document.title='broken'</script>"
WORDS = ["sea", "ship", "shore", "Río", "war", "peace", HOSTILE, *(f"word{number}" for number in range(60))]
DESK = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def chromium():
    """Yield a headless Chromium; skip where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason='the map in a browser was NOT run: pip install ".[browser]", 165 MB'
    )
    if CHROMIUM is None:
        pytest.skip("the map in a browser was NOT run: apt-get install chromium, or name one in W2V_CHROMIUM")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def mapped(w2v):
    """Return the Program with a map of WORDS in map.html."""
    rows = np.random.default_rng(3).normal(size=(len(WORDS), 12)).astype(np.float16)
    counts = np.arange(len(WORDS), 0, -1)
    keyed_vectors.save(w2v.folder / "w2v.safetensors", KeyedVectors(rows, WORDS, counts), overwrite=False)
    done = w2v.run("map", "--title", "Words of the sea")
    assert done.returncode == 0, done.stderr
    return w2v


@pytest.fixture
def show(chromium, mapped):
    """Return a function that opens the map in a new window; in the end nothing was loaded, nothing complained."""
    contexts, complaints, requests = [], [], []

    def open_map(address="", **kind):
        contexts.append(chromium.new_context(**kind))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"file://{mapped.folder / 'map.html'}{address}")
        return page

    yield open_map
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.partition("#")[0] for url in requests} == {f"file://{mapped.folder / 'map.html'}"}


def neighbours(page):
    """Return the words of the list, in its order."""
    return page.locator("#neighbours bdi").all_inner_texts()


def similar(program, word):
    """Return what the command line answers."""
    done = program.run("similar", word, "--json")
    return [one["word"] for one in json.loads(done.stdout)["neighbours"]]


def test_a_word_is_found_and_its_neighbours_are_those_of_similar(show, mapped):
    """Typing finds a word, also without accent; its neighbours are those of `similar`; clicks follow, back returns."""
    page = show(**DESK)

    page.fill("#search", "rio")
    page.press("#search", "Enter")

    assert page.inner_text("#word") == "Río"
    assert neighbours(page) == similar(mapped, "Río")
    assert page.url.endswith("#word=R%C3%ADo")
    nearest = neighbours(page)[0]
    page.click("#neighbours button >> nth=0")
    assert page.inner_text("#word") == nearest
    assert neighbours(page) == similar(mapped, nearest)
    page.go_back()
    assert page.inner_text("#word") == "Río"


def test_suggestions_begin_with_what_is_typed(show):
    """Suggestions are the words with that beginning, the most frequent first, and a word that is not there is told."""
    page = show(**DESK)

    page.fill("#search", "sh")
    assert page.locator("#matches bdi").all_inner_texts()[:2] == ["ship", "shore"]
    page.fill("#search", "absent")
    assert page.inner_text("#matches") == "Not on this map"


def test_the_keyboard_is_enough(show):
    """A slash searches, Enter follows, Tab goes to the neighbours, Escape clears; what is chosen is told aloud."""
    page = show(**DESK)

    for key in ["/", "w", "a", "r", "Enter"]:
        page.keyboard.press(key)
    assert page.inner_text("#word") == "war"
    assert page.inner_text("#told").startswith("war. Nearest: ")
    first = neighbours(page)[0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#neighbours') !== null")
    page.keyboard.press("Enter")
    assert page.inner_text("#word") == first
    page.keyboard.press("Escape")
    assert page.is_hidden("#panel")
    assert "#" not in page.url
    before = page.screenshot()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.wait_for_timeout(100)
    assert page.screenshot() != before


def test_a_point_is_pointed_at_and_clicked(show):
    """Below the pointer a word shows its neighbours; a click chooses it."""
    page = show(**DESK)

    for left in range(300, 900, 10):
        page.mouse.move(left, 400)
        if page.is_visible("#hint"):
            break
    word = page.inner_text("#hint strong")
    told = page.inner_text("#hint span")
    page.mouse.down()
    page.mouse.up()

    assert page.inner_text("#word") == word
    assert told == ", ".join(neighbours(page)[:6])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(show, scheme):
    """The page follows the reader's choice, the button turns it over, and colours follow frequency when asked to."""
    page = show(color_scheme=scheme, **DESK)

    assert page.get_attribute("html", "data-theme") == scheme
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == {"light": "dark", "dark": "light"}[scheme]
    page.click("[data-colouring=frequency]")
    assert page.inner_text("#commonest") == f"{len(WORDS)} occurrences"


def test_on_a_phone(show, mapped):
    """A finger opens a word; its list is a sheet at the bottom that fits the screen; a drag moves the map."""
    page = show(**PHONE)

    page.tap("#search")
    page.keyboard.type("peace")
    page.tap("#matches li >> nth=0")

    assert neighbours(page) == similar(mapped, "peace")
    sheet = page.locator("#panel").bounding_box()
    assert (sheet["x"], sheet["width"], round(sheet["y"] + sheet["height"])) == (0, 390, 844)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.tap("#neighbours button >> nth=1")
    assert neighbours(page) != similar(mapped, "peace")
    page.tap("#close")
    assert page.is_hidden("#panel")


def test_no_word_breaks_the_page(show):
    """A word that is markup is shown as it is written, also when a link opens the page at it."""
    page = show("#word=%3C%2Fscript%3E%3Cscript%3Edocument.title%3D'broken'%3C%2Fscript%3E", **DESK)

    assert page.inner_text("#word") == HOSTILE
    assert page.title() == "Words of the sea"


@pytest.mark.parametrize("address", ["#word=nobody", "#word=%E0%A4%A", "#"])
def test_a_wrong_address_shows_the_whole_map(show, address):
    """An unknown word or a broken escape in the address is no error."""
    page = show(address, **DESK)

    assert page.is_hidden("#panel")
