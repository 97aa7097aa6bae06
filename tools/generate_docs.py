"""Write the pages and files below docs/ that are made from the program: `python tools/generate_docs.py`.

Run it after a change of a command, an option, a help text, a setting or docs/reference/json.md; a test compares.
"""

from collections.abc import Callable
from pathlib import Path

from json_schema import json_schema
from manual import manual_page
from reference_pages import command_line_page, settings_page

DOCS = Path(__file__).resolve().parents[1] / "docs"
GENERATED: dict[str, Callable[[], str]] = {
    "reference/command-line.md": command_line_page,
    "reference/settings.md": settings_page,
    "reference/json.schema.json": json_schema,
    "man/w2v.1": manual_page,
}


def main() -> None:
    """Write each file, and say which ones changed."""
    for name, make in GENERATED.items():
        path, content = DOCS / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
            print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
