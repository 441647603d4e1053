"""All figures of the study, by file name."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure

from synaplex.population import Population
from synaplex.studies.scabini.analysis import Results
from synaplex.studies.scabini.figures import (
    evolution,
    initialization,
    population,
    prediction,
    relations,
    released,
    robustness,
    selection,
    types,
)


def drawings(results: Results, trained: Population) -> Mapping[str, Figure]:
    """Each figure; in front of the name the figure or table of the paper that it repeats, where it does."""
    best = results.seeds[results.groups["best"][-1]]
    extra: dict[str, Figure] = {}
    if "robustness" in results.tables:
        extra["robustness"] = robustness.robustness(results)
    if "initializations" in results.tables:
        extra["initializations"] = initialization.initializations(results)
    if "types_beside_released" in results.tables:
        extra["table1-released"] = released.released(results)
    return {
        "fig1-network": trained.weights([best]).network(0).draw(),
        "fig3-accuracy": population.accuracy(results),
        "fig4-layer-averages": relations.layer_averages(results),
        "fig4-correlations": relations.correlations(results),
        "fig4-separability": relations.separability(results),
        "fig5-correlations": selection.correlation_table(results),
        **{f"fig5-pairs-layer-{layer}": selection.pairs(results, layer) for layer in results.averages.layers},
        "fig6-elbow": types.elbow(results),
        "table1-types": types.centroids(results),
        "fig7-occurrence": types.occurrence(results),
        "prediction": prediction.prediction(results),
        "epochs-correlations": evolution.relations(results),
        "epochs-averages": evolution.averages(results),
        "epochs-types": evolution.types(results),
        "epochs-groups": evolution.groups(results),
        **extra,
    }
