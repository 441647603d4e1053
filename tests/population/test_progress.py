import io

import pytest
from rich.console import Console

import synaplex as sx
from synaplex.population import default_chunk_size, progress
from synaplex.population.memory import BUDGET, LARGEST, memory_of_a_network
from tests.population.conftest import RECIPE


def test_nothing_is_printed_where_there_is_no_terminal(capfd):
    sx.train_population(**{**RECIPE, "progress": True}, seeds=[1, 2])
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_the_bar_reaches_its_end(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
    sx.train_population(**{**RECIPE, "progress": True}, seeds=range(4), chunk_size=3)
    assert "4 networks 64-12-8-10 on digits" in screen.getvalue()
    assert "100%" in screen.getvalue()
    assert "left" in screen.getvalue()


@pytest.mark.parametrize("widths", [(64, 32, 16, 10), (784, 200, 100, 10), (6272, 1600, 800, 10)])
def test_a_chunk_fits_the_budget(widths):
    spec = sx.population.PopulationSpec(dataset="mnist", network=sx.networks.mlp(*widths), measures="scabini")
    size = default_chunk_size(spec)
    assert 1 <= size <= LARGEST
    assert size == 1 or size * memory_of_a_network(spec) <= BUDGET
