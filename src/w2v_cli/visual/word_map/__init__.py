"""The word map: an HTML page of words as points.

Takes KeyedVectors, gives a file. Begin with `layout`, which uses `projection` and `clustering`; `page` writes the file.
"""

from w2v_cli.visual.word_map.layout import MapOptions, WordMap, draw_map
from w2v_cli.visual.word_map.page import save_map
from w2v_cli.visual.word_map.projection import check_method

__all__ = ["MapOptions", "WordMap", "check_method", "draw_map", "save_map"]
