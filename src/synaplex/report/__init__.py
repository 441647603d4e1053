"""Pages, figures and files: what is found out about a model or in a study, as a reader wants it."""

from synaplex._callable_module import make_callable
from synaplex.report import style
from synaplex.report.comparison import Comparison, compare
from synaplex.report.embed import save_figure
from synaplex.report.model import report
from synaplex.report.page import Page

__all__ = ["Comparison", "Page", "compare", "report", "save_figure", "style"]

make_callable(__name__, report)
