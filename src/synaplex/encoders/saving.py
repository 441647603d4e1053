"""A fitted encoder as a folder: plain arrays and text, nothing that runs when it is read.

encoder.safetensors   parameters of the model; embeddings fitted, their centre and spread, and performance if given
decoder.safetensors   coefficients or trees, scaling, calibration residuals; where there is a decoder
card.json             parameters, what it was fitted on, versions, and whatever the caller adds
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors.numpy import load_file, save_file
from sklearn.utils.validation import check_is_fitted

from synaplex.encoders.decoder import PerformanceDecoder
from synaplex.encoders.encoder import StructureEncoder, check_parameters
from synaplex.encoders.graph_set import FINGERPRINTED
from synaplex.encoders.regressors import Linear, Trees
from synaplex.encoders.vgae import StructureVGAE
from synaplex.errors import SpecificationError, UnreadableFileError, UnwritableFileError

FORMAT = 2
_CARD, _ENCODER, _DECODER = "card.json", "encoder.safetensors", "decoder.safetensors"
_KINDS: Mapping[str, type[Linear] | type[Trees]] = {"linear": Linear, "trees": Trees}


@dataclass(frozen=True, eq=False)
class SavedEncoder:
    """What a folder holds.

    Attributes
    ----------
    encoder
        Fitted.
    decoder
        Fitted on the encoder's embeddings, or None.
    card
        What the encoder was fitted on, as it was written.
    names, performance
        Of the networks that the encoder was fitted on, in order; None where they were not given.
    """

    encoder: StructureEncoder
    decoder: PerformanceDecoder | None
    card: dict[str, Any]
    names: tuple[str, ...] | None = None
    performance: Float[np.ndarray, " networks"] | None = None


def save_encoder(
    folder: str | os.PathLike[str],
    encoder: StructureEncoder,
    decoder: PerformanceDecoder | None = None,
    *,
    card: Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    performance: Float[np.ndarray, " networks"] | None = None,
) -> None:
    """Write a fitted encoder, and a decoder of its embeddings, as a folder.

    Parameters
    ----------
    folder
        Replaced if it holds an encoder already; made under another name and renamed.
    encoder, decoder
        Fitted.
    card
        What to say beside what is known by itself: data set, architectures, accuracies, licence; plain JSON values.
    names, performance
        Of the networks that the encoder was fitted on, in that order: what is said of nearest networks.

    Raises
    ------
    SpecificationError
        If the decoder is not of this encoder's embeddings, there are not as many names or figures as networks, or the
        card holds something else than JSON values.
    UnwritableFileError
        If the folder cannot be written, or holds something else.
    """
    check_is_fitted(encoder)
    _check(encoder, decoder, names, performance)
    place = Path(folder)
    if place.is_file() or (place.is_dir() and any(place.iterdir()) and not (place / _CARD).is_file()):
        raise UnwritableFileError(f"{place} holds something else than an encoder; choose another folder")
    state = {f"model.{name}": value.detach().cpu().numpy() for name, value in encoder.model_.state_dict().items()}
    state |= {"center": encoder.center_, "spread": encoder.spread_}
    if encoder.embedding_ is not None:
        state["embedding"] = encoder.embedding_
    if performance is not None:
        state["performance"] = np.asarray(performance, dtype=np.float64)
    told: dict[str, Any] = {
        "format": FORMAT,
        "synaplex": _version(),
        "encoder": encoder.get_params(),
        "fitted": {
            "networks": encoder.networks_,
            "kernel": encoder.kernel_,
            "edge_scale": encoder.edge_scale_,
            "reach": encoder.reach_,
            "seen": sorted(encoder.seen_),
            "layouts": sorted(encoder.layouts_),
            "names": None if names is None else list(names),
        },
        "decoder": None,
        "about": dict(card or {}),
    }
    if decoder is not None:
        kind = "linear" if isinstance(decoder.regressor_, Linear) else "trees"
        told["decoder"] = {"kind": kind, "calibration": decoder.calibration_, "parameters": decoder.get_params()}
    try:
        text = json.dumps(told, indent=2, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise SpecificationError(f"the card of an encoder is text, plain JSON values only: {error}") from error
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{place.name}.") as name:
            partial = Path(name) / "encoder"
            partial.mkdir()
            save_file(_plain(state), partial / _ENCODER)
            if decoder is not None:
                save_file(_plain(_of_decoder(decoder)), partial / _DECODER)
            (partial / _CARD).write_text(f"{text}\n", encoding="utf-8")
            if place.exists():
                shutil.move(place, Path(name) / "replaced")
            partial.rename(place)
    except OSError as error:
        raise UnwritableFileError(f"{place} cannot be written: {error}") from error


def load_encoder(folder: str | os.PathLike[str]) -> SavedEncoder:
    """Read what `save_encoder` wrote. Nothing in it is run.

    Raises
    ------
    UnreadableFileError
        If a file is missing, damaged, or of a later format.
    """
    place = Path(folder)
    card = _read_card(place)
    try:
        state = load_file(place / _ENCODER)
        encoder = StructureEncoder(**_parameters(card["encoder"]))
        fitted = card["fitted"]
        encoder.kernel_, encoder.edge_scale_ = int(fitted["kernel"]), float(fitted["edge_scale"])
        encoder.networks_, encoder.reach_ = int(fitted["networks"]), float(fitted["reach"])
        encoder.seen_ = frozenset(map(str, fitted["seen"]))
        encoder.layouts_ = frozenset(map(str, fitted.get("layouts", ())))
        encoder.device = "cpu"
        check_parameters(encoder)
        if card["format"] < 2 and not set(FINGERPRINTED).isdisjoint(encoder.node_features):
            raise SpecificationError(
                "its fingerprints leave out biases and gains, which it reads: fit and save it anew"
            )
        encoder.model_ = StructureVGAE(encoder.plan(), torch.Generator().manual_seed(0))
        parts = {name.removeprefix("model."): torch.from_numpy(value) for name, value in state.items() if "." in name}
        encoder.model_.load_state_dict(parts)
        encoder.center_, encoder.spread_ = state["center"], state["spread"]
        encoder.embedding_ = state.get("embedding")
        decoder = None
        if card["decoder"] is not None:
            decoder = _decoder(card["decoder"], load_file(place / _DECODER))
        names = None if fitted.get("names") is None else tuple(map(str, fitted["names"]))
        performance = state.get("performance")
        _check(encoder, decoder, names, performance)
    except Exception as error:  # damaged in one of many ways, none of which runs code
        raise UnreadableFileError(f"{place} holds no whole encoder: {error}") from error
    return SavedEncoder(encoder, decoder, card, names, performance)


def _check(
    encoder: StructureEncoder,
    decoder: PerformanceDecoder | None,
    names: Sequence[str] | None,
    performance: np.ndarray | None,
) -> None:
    """Refuse parts that do not belong together."""
    row, rows = (encoder.dimension,), (encoder.networks_,)
    parts: dict[str, tuple[Any, tuple[int, ...]]] = {
        "a centre": (encoder.center_, row),
        "spreads": (encoder.spread_, row),
        "embeddings": (encoder.embedding_, rows + row),
        "names": (names, rows),
        "figures of performance": (performance, rows),
    }
    for what, (value, shape) in parts.items():
        if value is not None and np.shape(value) != shape:
            raise SpecificationError(f"{what} of shape {np.shape(value)} where the encoder needs {shape}")
    if decoder is not None and decoder.n_features_in_ != encoder.dimension:
        raise SpecificationError(
            f"the decoder was fitted on {decoder.n_features_in_} columns and the encoder gives {encoder.dimension}: "
            "save a decoder of this encoder's embeddings"
        )


def _read_card(place: Path) -> dict[str, Any]:
    try:
        card = json.loads((place / _CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"{place} is no folder of an encoder: {error}") from error
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise UnreadableFileError(f"{place / _CARD} is no card of an encoder")
    if card["format"] > FORMAT:
        raise UnreadableFileError(
            f"{place} has format {card['format']}, and this version of Synaplex reads up to {FORMAT}: update it"
        )
    return card


def _parameters(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}


def _of_decoder(decoder: PerformanceDecoder) -> dict[str, np.ndarray]:
    scaling = {
        "center": decoder.center_,
        "scale": decoder.scale_,
        "residuals": decoder.residuals_,
        "range": np.array(decoder.range_),
    }
    return {**scaling, **{f"regressor.{name}": value for name, value in decoder.regressor_.arrays().items()}}


def _decoder(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PerformanceDecoder:
    decoder = PerformanceDecoder(**_parameters(told["parameters"]))
    inner = {name.removeprefix("regressor."): value for name, value in arrays.items() if "." in name}
    decoder.regressor_ = _KINDS[told["kind"]].from_arrays(inner)
    decoder.center_, decoder.scale_ = arrays["center"], arrays["scale"]
    decoder.residuals_, decoder.calibration_ = arrays["residuals"], str(told["calibration"])
    low, high = arrays["range"].tolist()
    decoder.range_ = low, high
    decoder.n_features_in_ = len(decoder.center_)
    return decoder


def _plain(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}


def _version() -> str:
    from synaplex import __version__

    return __version__
