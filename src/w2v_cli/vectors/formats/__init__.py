"""Export to and import from the files of other tools.

Takes KeyedVectors and gives files, or the reverse. Begin with `convert`; `registry` lists the formats, `format` is the
contract that each of them fulfils.
"""

from w2v_cli.vectors.formats.convert import export_vectors, import_vectors
from w2v_cli.vectors.formats.registry import FORMATS

__all__ = ["FORMATS", "export_vectors", "import_vectors"]
