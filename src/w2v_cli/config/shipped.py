"""The configs that ship with w2v, by name."""

from pathlib import Path


def shipped_configs() -> dict[str, Path]:
    """Return the file of each shipped config, such as `book-cbow`, by name."""
    return {path.stem: path for path in sorted(_folder().glob("*.yaml"))}


def purpose(path: Path) -> str:
    """Return the purpose of a shipped config: its first line, a comment."""
    with path.open(encoding="utf-8") as file:
        return file.readline().removeprefix("#").strip()


def _folder() -> Path:
    """Return the folder of the configs: inside the package in a wheel, beside `src` in a source tree."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "configs"
    return inside if inside.is_dir() else package.parents[1] / "configs"
