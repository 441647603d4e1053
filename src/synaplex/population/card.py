"""The data card of a population: a README with a header that the Hugging Face hub understands."""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl

from synaplex.population.population import Population

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_COLUMNS = {
    "seed": "of the network; its initial weights are a function of it alone",
    "epoch": "epochs trained; 0 is the untrained network",
    "train_loss": "mean over the epoch, each sample scored just before the step that its batch makes",
    "train_accuracy": "likewise",
    "test_loss": "after the epoch",
    "test_accuracy": "after the epoch",
    "layer": "1 is the first hidden layer",
    "neuron": "within its layer, from 0",
    "reason": "why values of the row are null",
    "log_subgraph_centrality": "natural logarithm of subgraph centrality",
}


def data_card(population: Population, *, title: str, license: str, authors: str = "") -> str:
    """The text of the card; see `synaplex.population.export_population`."""
    return "\n".join([*_header(population, title, license), "", *_body(population, title, authors), ""])


def _header(population: Population, title: str, license: str) -> Iterable[str]:
    size = next((name for limit, name in _SIZES if len(population) < limit), "n>1M")
    yield "---"
    yield f"pretty_name: {json.dumps(title)}"  # a JSON string is a YAML string too
    yield f"license: {json.dumps(license)}"
    yield "tags: [model-zoo, weight-space, neural-networks, complex-networks, synaplex]"
    yield f"size_categories: [{json.dumps(size)}]"
    yield "configs:"
    for name in ("networks", "neurons") if population.spec.snapshots else ("networks",):
        yield f"  - config_name: {name}"
        if name == "networks":
            yield "    default: true"
        yield f"    data_files: data/{name}-*.parquet"
    yield "---"


def _body(population: Population, title: str, authors: str) -> Iterable[str]:
    spec = population.spec
    yield f"# {title}"
    yield ""
    if authors:
        yield f"By {authors}."
        yield ""
    yield (
        f"{len(population):,} multilayer perceptrons {spec.network} ({spec.network.activation}, "
        f"{'with' if spec.network.bias else 'without'} biases), trained on `{spec.dataset}` for {spec.epochs} epochs. "
        "They differ by the seed of their initial weights alone: all see the same batches in the same order."
    )
    yield ""
    yield "## Training"
    yield ""
    yield from _table(("field", "value"), _recipe(population))
    yield ""
    yield "The whole specification, with the options of every measure and the versions used, is in `population.json`."
    yield ""
    yield "## Tables"
    yield ""
    yield "`networks`: a row a network and epoch."
    yield ""
    yield from _columns(population.networks())
    if spec.snapshots:
        yield ""
        yield f"`neurons`: a row a hidden neuron and snapshot, {len(spec.snapshots)} snapshots a network."
        yield ""
        yield from _columns(population.scan_neurons().head(0).collect())
    yield ""
    yield "## Weights"
    yield ""
    yield (
        "Safetensors files of several networks each, after the last epoch: `seeds` says which; `layer1.weight` has "
        "shape `(networks, out, in)`, `layer1.bias` shape `(networks, out)`, and so on."
    )
    yield ""
    yield "## Known gaps"
    yield ""
    lost = population.networks().filter(pl.col("reason").is_not_null())["seed"].n_unique()
    yield f"{lost} networks have diverged."
    if spec.snapshots:
        nulls = population.scan_neurons().select(pl.col("reason").is_not_null().sum()).collect().item()
        yield f"{nulls:,} rows of `neurons` hold a value that is undefined, and its reason."
    if population.missing:
        yield f"{population.missing} networks that were planned are not there."


def _recipe(population: Population) -> Iterable[tuple[str, str]]:
    dump = population.spec.model_dump(mode="json")
    for field in ("dataset", "initializer", "shared_stream", "optimizer", "epochs", "batch_size", "data_seed", "dtype"):
        value = dump[field]
        yield field, ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def _columns(frame: pl.DataFrame) -> Iterable[str]:
    return _table(
        ("column", "type", ""), ((name, str(kind), _COLUMNS.get(name, "")) for name, kind in frame.schema.items())
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
