"""The file formats of other tools: one module each, listed in `registry`."""
