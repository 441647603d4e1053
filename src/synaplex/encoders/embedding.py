"""Named networks in the embedding of a saved encoder, and their nearest neighbours there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

from synaplex.encoders.candidates import Candidates
from synaplex.encoders.graph_set import FINGERPRINTED
from synaplex.encoders.saving import SavedEncoder, load_encoder
from synaplex.errors import SpecificationError

AMONG = ("fitted", "given")

MOST_NAMED = 20
"""Networks that a warning names; the columns of the table tell of all."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """Where networks lie.

    Attributes
    ----------
    saved
        The encoder, and what it was saved with.
    names
        Of the networks, in order.
    values
        ``(networks, dimension)``: a row a network. Those that the encoder cannot tell apart have the same row.
    distance
        From the networks fitted, see `StructureEncoder.distance`; above 1 a network is unlike them.
    fitted
        Whether the encoder was fitted on a network, by what it reads, see `StructureEncoder.has_seen`.
    same_as
        The first network given that is the same in all that the encoder reads: weights, and biases and gains of
        normalisations where they are among its `node_features`. None where there is none before.
    layouts
        The layout of each network, see `StructureGraph.described`.
    left_out
        Networks of populations that have diverged and have no embedding.
    unread
        Whether a network differs from that of `same_as` after all, in biases or gains that the encoder does not read.
    """

    saved: SavedEncoder
    names: tuple[str, ...]
    values: Float[np.ndarray, "networks dimension"]
    distance: Float[np.ndarray, " networks"]
    fitted: Bool[np.ndarray, " networks"]
    same_as: tuple[str | None, ...]
    layouts: tuple[str, ...]
    left_out: tuple[str, ...]
    unread: Bool[np.ndarray, " networks"]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def new_layout(self) -> Bool[np.ndarray, " networks"]:
        """Whether no network fitted has the layout of each; all False where the encoder does not know."""
        known = self.saved.encoder.layouts_
        return np.array([bool(known) and layout not in known for layout in self.layouts], dtype=bool)

    @property
    def outside(self) -> Bool[np.ndarray, " networks"]:
        """Whether each lies outside the population fitted: distance above 1, or a layout that none of its networks has.

        A network of another layout may lie near those fitted all the same: its distance then says nothing.
        """
        outside: Bool[np.ndarray, " networks"] = (self.distance > 1) | self.new_layout
        return outside

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which networks lie outside the population fitted, and why; one text a reason."""
        texts = []
        if away := [f"{name} ({far:.1f})" for name, far in self.of(self.distance, self.distance > 1)]:
            texts.append(
                "outside the population that the encoder was fitted on, of which 99% keep within a distance of 1: "
                + listed(away)
            )
        if others := [f"{name} ({layout})" for name, layout in self.of(self.layouts, self.new_layout)]:
            texts.append(f"no network that the encoder was fitted on has this layout: {listed(others)}")
        return tuple(texts)

    def of(self, values: Iterable[Any], chosen: Bool[np.ndarray, " networks"]) -> Iterator[tuple[str, Any]]:
        """Names and values of some of the networks."""
        return ((name, value) for name, value, one in zip(self.names, values, chosen, strict=True) if one)

    def table(self) -> pl.DataFrame:
        """A row a network: ``model, layout, distance, outside, fitted, same_as``, ``embedding_0`` and so on."""
        columns = self.saved.encoder.get_feature_names_out()
        return pl.DataFrame(
            {
                "model": list(self.names),
                "layout": list(self.layouts),
                "distance": self.distance,
                "outside": self.outside,
                "fitted": self.fitted,
                "same_as": pl.Series(self.same_as, dtype=pl.String),
                **{str(name): self.values[:, i] for i, name in enumerate(columns)},
            }
        )

    def nearest(self, k: int = 5, *, among: str = "fitted") -> pl.DataFrame:
        """The nearest networks of each in the embedding.

        Distances are the root mean square over the columns of the embedding of the difference, in standard deviations
        of the networks fitted: two networks drawn from that population are about 1.4 apart.

        Parameters
        ----------
        k
            How many; fewer where there are fewer.
        among
            ``"fitted"``: the networks that the encoder was fitted on (a network that is one of them finds itself, at
            distance 0). ``"given"``: the other networks of this embedding.

        Returns
        -------
        polars.DataFrame
            A row a network and neighbour: ``model``, ``place`` (from 1), ``neighbour``, ``distance``, and
            ``performance`` of the neighbour, null where it is not known.

        Raises
        ------
        SpecificationError
            If k is below 1, or there is no network to be found: the folder of an encoder may have been saved without
            its population.

        Notes
        -----
        Cost: O(networks × neighbours × dimension).
        """
        if among not in AMONG:
            raise SpecificationError(f"among={among!r} is neither 'fitted' nor 'given'")
        if k < 1:
            raise SpecificationError(f"the number of nearest networks must be positive, got {k}")
        own = among == "given"
        others, names, performance = self._others(own)
        rows = []
        for i, name in enumerate(self.names):
            away = self.saved.encoder.between(self.values[i : i + 1], others)[0]
            if own:
                away[i] = np.inf
            order = np.argsort(away, kind="stable")[: min(k, len(away) - own)]
            for place, j in enumerate(order.tolist(), start=1):
                known = None if performance is None else float(performance[j])
                rows.append((name, place, names[j], float(away[j]), known))
        schema = {
            "model": pl.String,
            "place": pl.Int32,
            "neighbour": pl.String,
            "distance": pl.Float64,
            "performance": pl.Float64,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _others(
        self, own: bool
    ) -> tuple[Float[np.ndarray, "others dimension"], Sequence[str], Float[np.ndarray, " others"] | None]:
        if own:
            if len(self) < 2:
                raise SpecificationError(
                    "one network has no neighbours among those given: give more, or among='fitted'"
                )
            return self.values, self.names, None
        fitted = self.saved.encoder.embedding_
        if fitted is None:
            raise SpecificationError(
                "this encoder was saved without the embeddings of the networks it was fitted on: save it anew, or look "
                "among the networks given"
            )
        return fitted, self.saved.names or tuple(f"network {i}" for i in range(len(fitted))), self.saved.performance


def listed(names: Sequence[str]) -> str:
    """Names in a row, of many the first; the columns of the table tell the others."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def embed(
    models: Any,
    saved: SavedEncoder | str | os.PathLike[str],
    *,
    layers: Sequence[str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Embedding:
    """The embedding of networks by a fitted encoder.

    Parameters
    ----------
    models
        Files, folders, populations, graphs: see `Candidates`.
    saved
        What `load_encoder` gives, or the folder.
    layers
        Of `synaplex.load`, for files; see `load_checkpoint`.
    progress
        Is told what is being done.

    Raises
    ------
    SpecificationError, UnreadableFileError, InvalidGraphError, IncompleteGraphError, GraphTooLargeError
        If there is no network, the folder is no encoder, or a file or network cannot be read: names it.
    UndefinedMeasureError
        If weights are so large that the embedding overflows.

    Notes
    -----
    Networks are read and embedded a few at a time: memory is that of one portion, see `StructureEncoder`.
    """
    opened = saved if isinstance(saved, SavedEncoder) else load_encoder(saved)
    encoder = opened.encoder
    candidates = Candidates(models, layers=layers, node_features=encoder.node_features)
    names: list[str] = []
    values: list[Float[np.ndarray, "_ dimension"]] = []
    prints: list[str] = []  # of what the encoder reads
    whole: list[str] = []
    layouts: list[str] = []
    for some, networks in candidates.portions(int(encoder.batch_size)):
        if progress is not None:
            progress(f"embedding {some[0]}" + (f" and {len(some) - 1} more" if len(some) > 1 else ""))
        named = networks.named(some)
        values.append(encoder.transform(named))
        prints += named.fingerprints(encoder.node_features)
        whole += named.fingerprints(FINGERPRINTED)
        layouts += named.described()
        names += some
    if not names:
        raise SpecificationError(f"all networks given have diverged: {', '.join(candidates.left_out[:5])}")
    first = {name: i for i, name in reversed(list(enumerate(prints)))}
    place = np.array([first[name] for name in prints])
    embedded = np.concatenate(values)[place]
    return Embedding(
        saved=opened,
        names=tuple(names),
        values=embedded,
        distance=encoder.distance_of(embedded),
        fitted=np.array([name in encoder.seen_ for name in prints], dtype=bool),
        same_as=tuple(None if j == i else names[j] for i, j in enumerate(place.tolist())),
        layouts=tuple(layouts),
        left_out=tuple(candidates.left_out),
        unread=np.array([whole[i] != whole[j] for i, j in enumerate(place.tolist())], dtype=bool),
    )
