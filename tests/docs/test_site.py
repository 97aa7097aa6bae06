"""The documentation site builds strictly: every page, link, anchor, picture and API page is there."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MISSING = [name for name in ("mkdocs", "material", "mkdocstrings_handlers") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason='the extra "docs" is not installed: the site was NOT built')


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built strictly."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_site_builds_strictly_with_its_api_pages(site):
    """A broken link or anchor, a page that nothing leads to, or an unknown name of the API would end the build."""
    page = (site / "reference" / "python" / "index.html").read_text(encoding="utf-8")

    assert {"w2v_cli.train", "w2v_cli.WordVectors.similar"} <= set(re.findall(r'id="([\w.]+)"', page))


def test_site_loads_nothing_from_other_hosts(site):
    """Scripts, styles, fonts and pictures of every page lie in the site."""
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"', page)
        loaded += re.findall(r'<link\b[^>]*\brel="(?:stylesheet|preconnect|icon)"[^>]*\bhref="([^"]+)"', page)
        assert [link for link in loaded if re.match(r"(https?:)?//", link)] == [], path
