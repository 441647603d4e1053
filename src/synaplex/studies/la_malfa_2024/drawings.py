"""All figures of the study, by file name: the paper's number first, where it has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from matplotlib.figure import Figure

from synaplex.report import style
from synaplex.studies.la_malfa_2024.claims import UNCORRELATED
from synaplex.studies.la_malfa_2024.comparisons import DEEP, SHALLOW
from synaplex.studies.la_malfa_2024.figures.densities import by_activation, by_layer
from synaplex.studies.la_malfa_2024.figures.heat import heat
from synaplex.studies.la_malfa_2024.figures.overview import depths, performance, tests_figure
from synaplex.studies.la_malfa_2024.figures.patterns import patterns
from synaplex.studies.la_malfa_2024.population import Observed
from synaplex.studies.la_malfa_2024.recipe import ACTIVATIONS, KINDS, SHOWN, Cell, Kind
from synaplex.studies.la_malfa_2024.results import Results

DEEPEST = 9


def drawings(results: Results) -> Mapping[str, Figure]:
    """Each figure by name, laid out once and for all: a page and two files are drawn from it."""
    drawn = dict(_drawings(results))
    for figure in drawn.values():
        with style.context():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
    return drawn


def _drawings(results: Results) -> Iterator[tuple[str, Figure]]:
    field, (first, last) = results.field, (results.datasets[0], results.datasets[-1])

    def known(*cells: Cell) -> list[Observed]:
        return [field[cell] for cell in cells if cell in field]

    yield "performance", performance(field, results.datasets)
    shallow = known(*(Cell(first, kind, SHALLOW, SHOWN) for kind in KINDS))
    if shallow:
        yield "fig2-architectures", by_layer(shallow, (2, 3))
    recurrent = known(*(Cell(name, "rnn", SHALLOW, SHOWN) for name in results.datasets))
    if recurrent:
        yield "fig3-heat", heat(recurrent)
    kinds = [known(*(Cell(last, kind, SHALLOW, activation) for activation in ACTIVATIONS)) for kind in KINDS]
    if any(kinds):
        yield "fig4-activations", by_activation([cells for cells in kinds if cells])
    shown: tuple[tuple[int, int, tuple[int, ...], tuple[Kind, ...]], ...] = (
        (5, DEEP, (2, 4, 7), ("dense", "autoencoder")),
        (6, SHALLOW, (2, 3), ("dense", "autoencoder")),
        (7, SHALLOW, (2, 3), ("dense", "cnn", "autoencoder")),
    )
    for number, depth, layers, named in shown:
        activation = "relu" if number == 7 else SHOWN
        cells = known(*(Cell(last, kind, depth, activation) for kind in named))
        if cells:
            yield f"fig{number}-depth-{depth}-{activation}", patterns(cells, layers)
    deepest = known(*(Cell(first, kind, DEEPEST, SHOWN) for kind in ("dense", "autoencoder")))
    if deepest:
        yield "fig8-nine-layers", by_layer(deepest, (2, 5, 7, 9))
    pairs = [
        (field[deep], field[Cell(last, kind, SHALLOW, activation)])
        for kind in ("dense", "autoencoder")
        for activation in ACTIVATIONS
        if (deep := Cell(last, kind, DEEP, activation)) in field
    ]
    if pairs:
        yield "depths", depths(pairs)
    names = {"node-strength": "Nodes and Neurons Strength", "node-activation": "Nodes Strength and Activation"}
    yield "correlations", tests_figure(results.tests, names, "correlation", (-UNCORRELATED, UNCORRELATED))
    yield (
        "dead",
        tests_figure(
            results.tests, {"dead units": "dead hidden neurons", "idle weights": "weights close to zero"}, "share", ()
        ),
    )
