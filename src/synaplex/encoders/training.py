"""Fitting the autoencoder: scales first, then passes over the networks in random order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
from jaxtyping import Float, Int
from rich.progress import Progress
from torch import Tensor

from synaplex.encoders.batch import BatchReader
from synaplex.encoders.graph_set import GraphSet, fingerprints
from synaplex.encoders.objective import Objective
from synaplex.encoders.vgae import StructureVGAE
from synaplex.errors import SpecificationError, TrainingError

TERMS = ("strong", "weight", "prior")
Rows = Int[np.ndarray, " rows"]


@dataclass(frozen=True, eq=False)
class Survey:
    """What is known of the networks before training.

    Attributes
    ----------
    reader
        With the scale of edge features: their root mean square over all edges.
    positional
        The Laplacian or random features of the nodes of each network.
    seen
        The fingerprint of each network, by what the encoder reads.
    """

    reader: BatchReader
    positional: tuple[Float[Tensor, "_ positions"], ...]
    seen: frozenset[str]

    def of(self, rows: Rows) -> Float[Tensor, "networks nodes positions"]:
        """The features of some networks of one layout."""
        return torch.stack([self.positional[row] for row in rows.tolist()])


def survey(networks: GraphSet, reader: BatchReader, batch_size: int) -> Survey:
    """Look at every network once; memory grows with nodes x positions of all networks.

    Raises
    ------
    SpecificationError
        If no network has an edge.
    """
    squares, edges = 0.0, 0
    seen: list[str] = []
    positional: dict[int, Tensor] = {}
    for batch in networks.batches(batch_size):
        graph = networks.structure(batch.tolist())
        seen += fingerprints(graph, reader.node_features)
        positional.update(zip(batch.tolist(), reader.positional(graph), strict=True))
        for _, incoming in replace(reader, scale=1.0).messages(graph).forward:
            squares += float(incoming.features.double().square().sum())
            edges += int((incoming.features != 0).any(-1).sum())
    if not squares > 0:
        raise SpecificationError("no network of this population has an edge: there is nothing to fit an encoder on")
    scale = float(np.sqrt(squares / (edges * reader.kernel**2)))
    ordered = tuple(positional[row] for row in range(len(networks)))
    return Survey(replace(reader, scale=scale), ordered, frozenset(seen))


def calibrate(model: StructureVGAE, networks: GraphSet, known: Survey, batch_size: int) -> None:
    """Set what the model divides its input features by, from all networks."""
    total, nodes = torch.zeros_like(model.scale), 0
    for batch in networks.batches(batch_size):
        graph = networks.structure(batch.tolist())
        given = known.reader.given(graph, known.of(batch))
        total += model.input_squares(known.reader.messages(graph), given)
        nodes += graph.networks * graph.nodes
    model.calibrate(total, nodes)


def train(
    model: StructureVGAE,
    networks: GraphSet,
    known: Survey,
    objective: Objective,
    *,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    generator: torch.Generator,
    progress: bool = False,
) -> pl.DataFrame:
    """Train by Adam; every vector of Laplacian features of every network gets a random sign at each step.

    Returns
    -------
    polars.DataFrame
        A row an epoch: ``epoch`` and the terms of the loss, means over networks.

    Raises
    ------
    TrainingError
        If the loss is not a number.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = []
    with Progress(disable=not progress, transient=True) as bar:
        task = bar.add_task("fitting the encoder", total=epochs * len(networks))
        for epoch in range(epochs):
            total = dict.fromkeys(TERMS, 0.0)
            for batch in networks.batches(batch_size, generator=generator):
                graph = networks.structure(batch.tolist())
                positional = known.of(batch)
                if known.reader.laplacian:
                    positional = positional * _signs(len(batch), positional.shape[-1], generator)
                given = known.reader.given(graph, positional)
                terms = objective.loss(model, known.reader.messages(graph), given, generator)
                loss = torch.stack([terms[term] for term in TERMS]).sum()
                if not bool(loss.isfinite()):
                    raise TrainingError(
                        f"the loss of the encoder is not a number in epoch {epoch}: lower learning_rate"
                    )
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                for term in TERMS:
                    total[term] += float(terms[term].detach()) * len(batch) / len(networks)
                bar.advance(task, len(batch))
            history.append({"epoch": epoch, **total})
    return pl.DataFrame(history, schema={"epoch": pl.Int32, **dict.fromkeys(TERMS, pl.Float64)})


def _signs(networks: int, positions: int, generator: torch.Generator) -> Float[Tensor, "networks 1 positions"]:
    return torch.randint(2, (networks, 1, positions), generator=generator) * 2.0 - 1.0
