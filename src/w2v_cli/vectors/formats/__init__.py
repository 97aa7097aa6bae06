"""Export to and import from the files of other tools.

Takes KeyedVectors and gives files, or the reverse. Begin with `convert`; `registry` lists the formats, `format` is the
contract that each of them fulfils.
"""
