"""The picture of a definition: as SVG, Mermaid, DOT, or lines for a terminal.

:mod:`.model` says what there is to draw, :mod:`.layered` and :mod:`.scene` where it goes, and one module per
format how it looks. All of it is pure, and draws what is there: a definition need not be valid, and what makes no
sense is left out, because the validator has said so.
"""

from .model import Chart, Trail, Visits, chart

__all__ = ["Chart", "Trail", "Visits", "chart"]
