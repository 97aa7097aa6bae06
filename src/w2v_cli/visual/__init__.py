"""Pictures: plots of the loss, and `word_map`, a page of HTML.

Takes logs, reports or vectors, gives files or text. Begin with `loss_plot` and `word_map.layout`.
"""

from w2v_cli.visual.loss_log import LossCurve, curve_of, read_curve
from w2v_cli.visual.loss_plot import check_plot, draw_text, mark_of, save_plot

__all__ = ["LossCurve", "check_plot", "curve_of", "draw_text", "mark_of", "read_curve", "save_plot"]
