"""Figures inside a page, and figures as files."""

from __future__ import annotations

import base64
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from markupsafe import Markup
from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.report.files import replacing

MOST_MARKS = 20_000
"""Marks above which a figure is shown as an image: a browser is slow to draw more."""

_SCROLLED = 1_200
"""Pixels of width above which a figure is scrolled."""

_FOLLOWS = {
    style.INK: "var(--ink)",
    style.MUTED: "var(--muted)",
    style.GRID: "var(--rule)",
    style.PAPER: "var(--paper)",
}
"""Colours of `style` that follow the page between light and dark."""

_METADATA: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
"""Nothing in a file says when and by what version it was drawn, so that equal figures are equal files."""


@runtime_checkable
class Interactive(Protocol):
    """A plotly figure, as far as a page needs it: plotly is imported only where one is made."""

    def update_layout(self, **layout: Any) -> Any: ...

    def to_html(self, **options: Any) -> str: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Embedded:
    """A figure as HTML.

    Attributes
    ----------
    html
        The element.
    kind
        ``"vector"``, ``"image"`` or ``"interactive"``.
    """

    html: Markup
    kind: str

    @property
    def needs_plotly(self) -> bool:
        """Whether the page must hold plotly's script."""
        return self.kind == "interactive"


def embed(figure: Figure | Interactive, anchor: str, caption: str) -> Embedded:
    """A figure as an element of a page that loads nothing from elsewhere."""
    if isinstance(figure, Figure):
        return _embed_matplotlib(figure, anchor, caption)
    return Embedded(_plotly(figure, anchor), "interactive")


def save_figure(figure: Figure, folder: str | os.PathLike[str], name: str) -> tuple[Path, Path]:
    """Write ``name.png`` and ``name.svg``; equal figures give equal files.

    Returns
    -------
    tuple of Path
        The two files.

    Raises
    ------
    UnwritableFileError
        If they cannot be written; what lay there before stays.
    """
    image, vector = Path(folder) / f"{name}.png", Path(folder) / f"{name}.svg"
    with replacing(image) as part:
        part.write_bytes(_png(figure))
    with replacing(vector) as part:
        part.write_text(_svg(figure, "path"), encoding="utf-8", newline="\n")
    return image, vector


def _svg(figure: Figure, fonts: str) -> str:
    buffer = io.StringIO()
    with style.context(svg__fonttype=fonts):
        figure.savefig(buffer, format="svg", metadata=_METADATA)
    return re.sub(r"[ \t]+$", "", buffer.getvalue(), flags=re.MULTILINE)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with style.context():
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _embed_matplotlib(figure: Figure, anchor: str, caption: str) -> Embedded:
    width = round(figure.get_figwidth() * 96)
    text = _svg(figure, "none")
    if len(re.findall(r"<(?:path|use|text|image)\b", text)) > MOST_MARKS:
        data = base64.b64encode(_png(figure)).decode()
        image = Markup('<img src="data:image/png;base64,{}" alt="{}" style="{}">')
        return Embedded(image.format(data, _plain(caption), _size(width)), "image")
    return Embedded(_inline_svg(text, anchor, _plain(caption), width), "vector")


def _inline_svg(text: str, anchor: str, caption: str, width: int) -> Markup:
    """An SVG file as an element: names that clash with no other figure's, colours that follow the page."""
    body = text[text.index("<svg") :]
    head, inside = body.split(">", 1)
    box = re.search(r'viewBox="([^"]+)"', head)
    inside = re.sub(r"<metadata>.*?</metadata>", "", inside, flags=re.DOTALL)
    inside = re.sub(r'\bid="([^"]+)"', rf'id="{anchor}-\1"', inside)
    inside = re.sub(r'(url\(#|href="#)', rf"\1{anchor}-", inside)
    inside = re.sub(r"font-family: '?DejaVu Sans'?, sans-serif", "font-family: var(--sans)", inside)
    for fixed, variable in _FOLLOWS.items():
        inside = inside.replace(fixed, variable)
    start = Markup('<svg viewBox="{}" role="img" aria-label="{}" style="{}">').format(
        box[1] if box else "", caption, _size(width)
    )
    return start + Markup(inside.strip())


def _size(width: int) -> str:
    """At most its own width; one much wider than a page is scrolled rather than shrunk beyond reading."""
    return f"max-width: {width}px" + (f"; min-width: {0.7 * width:.0f}px" if width > _SCROLLED else "")


def _plotly(figure: Interactive, anchor: str) -> Markup:
    """A plotly figure as an element; the page's script gives it the page's colours."""
    import plotly.graph_objects as go

    mine = figure.to_dict().get("layout", {})
    styled = go.Figure(figure)
    styled.update_layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=mine.get("colorway", list(style.PALETTE)),
        font={"family": "system-ui, sans-serif", "size": 13},
        margin=mine.get("margin", {"l": 60, "r": 20, "t": 30, "b": 50}),
    )
    return Markup(
        styled.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"{anchor}-plot",
            default_height=mine.get("height", 420),
            config={"displaylogo": False, "responsive": True, "displayModeBar": "hover"},
        )
    )


def _plain(caption: str) -> str:
    return caption.replace("**", "").replace("`", "")
