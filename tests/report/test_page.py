"""A page: everything that was put in is there, escaped, and nothing is loaded from elsewhere."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from matplotlib.figure import Figure

from synaplex.errors import UnwritableFileError
from synaplex.report import Page, style
from synaplex.report.page import MOST_ROWS
from tests.report.pages import read


def curve(points: int = 5) -> Figure:
    with style.context():
        figure, axes = style.subplots(1, 2)
        axes[0, 0].plot(np.arange(points), np.arange(points) ** 2.0)
        axes[0, 1].scatter(np.arange(points), np.arange(points))
        axes[0, 1].set_title("a < b & c")
    return figure


@pytest.fixture
def page() -> Page:
    page = Page("Networks & <neurons>", "A **lead** of `code`.", {"seed": "0", "command": "synaplex study <x>"})
    page.section("First part", "One.\n\n- two\n- **three**")
    page.figure(curve(), "A **curve**.", "curve")
    page.table(pl.DataFrame({"layer": [1, 2], "value": [0.5, None], "text": ["<b>", "c"]}), "A table.", note="A note.")
    page.section("Second part")
    page.finding("Strength follows accuracy", "holds", "rho = 0.8, null 0.01 ± 0.05")
    page.finding("So do cliques", "fails", "rho = 0.01")
    page.figure(curve(), "The same again.", "curve")
    return page


def test_page_holds_what_was_put_in(page: Page) -> None:
    html = page.html()
    reader = read(html)
    assert reader.headings == ["Networks & <neurons>", "First part", "Second part"]
    for text in ("<li>two</li>", "<strong>three</strong>", "&lt;b&gt;", "A note.", "rho = 0.8, null 0.01 ± 0.05"):
        assert text in html
    assert html.count('class="finding holds"') == html.count('class="finding fails"') == 1
    assert {"first-part", "second-part", "curve", "curve-2"} <= set(reader.ids)


def test_equal_pages_are_equal_files(page: Page, tmp_path: Path) -> None:
    first, second = page.save(tmp_path / "a.html"), page.save(tmp_path / "b.html")
    assert first.read_bytes() == second.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_interactive_figure_brings_its_script_once(page: Page) -> None:
    assert "Plotly.newPlot" not in page.html()
    for name in ("one", "two"):
        page.figure(go.Figure(go.Scatter(x=[1, 2], y=[3, 4])), "Interactive.", name)
    html = page.html()
    read(html)
    assert html.count('Plotly.newPlot(                        "') == 2 or html.count("Plotly.newPlot(") >= 2
    assert html.count("plotly.js v") == 1


def test_figure_with_very_many_marks_becomes_an_image(page: Page) -> None:
    page.figure(curve(20_500), "Many.", "many")
    html = page.html()
    read(html)
    assert html.count("data:image/png;base64,") == 1
    assert len(html) < 1_000_000


def test_colours_follow_the_page_except_black_and_white() -> None:
    with style.context():
        figure, axes = style.subplots()
        axes[0, 0].text(0.5, 0.5, "in a cell", color=style.contrast("#fde725"))
    page = Page("A", "", {})
    page.figure(figure, "", "f")
    html = page.html()
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert style.INK not in svg
    assert "var(--ink)" in svg
    assert "#000000" in svg or "fill: #000" in svg or ">in a cell</text>" in svg


def test_long_table_is_cut_and_says_so() -> None:
    page = Page("A", "", {})
    page.table(pl.DataFrame({"x": range(MOST_ROWS + 5)}), "Long.")
    html = page.html()
    read(html)
    assert f"The first {MOST_ROWS:,} of {MOST_ROWS + 5:,} rows" in html
    assert html.count("<tr>") == MOST_ROWS + 1


def test_table_without_rows_says_none() -> None:
    page = Page("A", "", {})
    page.table(pl.DataFrame(schema={"x": pl.Int32, "y": pl.String}), "Empty.")
    assert "None." in page.html()


def test_missing_values_have_no_key_and_numbers_have_exact_ones() -> None:
    page = Page("A", "", {})
    page.table(pl.DataFrame({"x": [0.123456789, None]}), "T.")
    html = page.html()
    assert 'data-key="0.123456789">0.123</td>' in html
    assert 'data-key="">–</td>' in html


def test_unknown_verdict_is_refused() -> None:
    # With annotations checked, by these; without, by the page itself.
    with pytest.raises(Exception, match="maybe"):
        Page("A", "", {}).finding("x", "maybe", "y")  # type: ignore[arg-type]


def test_page_that_cannot_be_written_leaves_the_old_one(page: Page, tmp_path: Path, full_disk: None) -> None:
    target = tmp_path / "report.html"
    with target.open("w") as file:
        file.write("before")
    with pytest.raises(UnwritableFileError, match="No space left on device"):
        page.save(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
