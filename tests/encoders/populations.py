"""A population whose performance is written in its weights, and an encoder that was fitted on a part of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.torch import save_file

from synaplex.encoders import PerformanceDecoder, SavedEncoder, StructureEncoder, save_encoder
from synaplex.graph import NeuralGraph
from tests.encoders.structures import dense

FITTED, ALL = 100, 300
OPTIONS = {"positions": 3, "width": 4, "heads": 2, "latent": 4, "epochs": 0}


def networks() -> NeuralGraph:
    return dense(ALL, 6, 5, 3, spread=True)


def performance() -> np.ndarray:
    """The spread of the weights of each network."""
    return networks().links[0].weight.double().flatten(1).std(1).numpy()


def fitted(regressor: str = "ridge", *, larger_is_better: bool = True) -> SavedEncoder:
    train, known = networks().subset(0, FITTED), performance()[:FITTED]
    encoder = StructureEncoder(**OPTIONS).fit(train)
    decoder = PerformanceDecoder(regressor, larger_is_better=larger_is_better).fit(encoder.transform(train), known)
    return SavedEncoder(encoder, decoder, {"about": {}}, tuple(f"seed {i}" for i in range(FITTED)), known)


def write_encoder(folder: Path, saved: SavedEncoder) -> Path:
    save_encoder(
        folder, saved.encoder, saved.decoder, card={"dataset": "none"}, names=saved.names, performance=saved.performance
    )
    return folder


def write_checkpoint(path: Path, graph: NeuralGraph) -> Path:
    """One network as the state dict that PyTorch would write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {f"{i}.weight": link.to_dense().contiguous() for i, link in enumerate(graph.links)}
    save_file({**state, **{f"{i}.bias": graph.biases[i + 1] for i in range(len(graph.links))}}, path)
    return path
