"""The structure encoder: networks of any layout to vectors of one length, learned without labels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from synaplex.encoders.adjacency import ADJACENCIES
from synaplex.encoders.batch import NODE_FEATURES, BatchReader
from synaplex.encoders.graph_set import GraphSet
from synaplex.encoders.messages import DIRECTIONS
from synaplex.encoders.objective import Objective
from synaplex.encoders.pooling import POOLINGS, pooled
from synaplex.encoders.training import Survey, calibrate, survey, train
from synaplex.encoders.vgae import ARCHITECTURES, EncoderPlan, StructureVGAE
from synaplex.errors import SpecificationError, UndefinedMeasureError, UnknownNameError


class StructureEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Embeddings of networks from their structure: edge attention, Laplacian features, a graph autoencoder.

    `fit` trains the autoencoder on graphs, without labels; `transform` pools the means of the nodes of each network.
    Networks may differ in widths, depth and kind, and may be larger than any seen in fitting. Renumbering hidden
    neurons does not change an embedding (except with random features, ``"GC+RF"``).

    Parameters
    ----------
    architecture
        One of `ARCHITECTURES`; the paper's own is ``"EA+TC+LF"``.
    positions
        Number of Laplacian (or random) features of a node.
    adjacency
        What those are computed from: ``"absolute"``, ``"signed"`` or ``"unweighted"``.
    kernel
        Side of the footprint that all edges are brought to (see `edge_features`); None for the largest kernel of a
        convolution among the networks fitted, 1 for dense ones.
    direction
        ``"both"``: messages also run against the signal. ``"forward"``.
    edge_features
        Whether convolutions see edge features too, or edge attention alone does.
    node_features
        Any of ``"bias"``, ``"gain"`` (of normalisations) and ``"position"`` (of the layer).
    width, heads, layers
        Features of each head, heads, and number of the convolutions.
    latent
        Length of a node's Gaussian.
    edge_hidden, edge_heads, noise
        Of `EdgeAttention`.
    pooling
        See `pooled`.
    strong_share, kl_weight
        Of the `Objective`.
    epochs
        Passes over the networks; 0 leaves the encoder untrained, as a baseline.
    learning_rate
        Of Adam.
    batch_size
        Networks held at once, fewer where they are large: memory is that of about `EDGES_AT_ONCE` edges, and of 16
        times as many pairs of nodes.
    sparse_threshold
        Of `positional_encoding`.
    random_state
        The seed of initial parameters, noise, sign flips and order.
    device
        Where to compute.
    progress
        Whether to show progress.

    Attributes
    ----------
    model_ : StructureVGAE
        The autoencoder.
    kernel_ : int
        Side of the footprint.
    edge_scale_ : float
        Root mean square of the edge features fitted, which they are divided by.
    history_ : polars.DataFrame
        A row an epoch: the terms of the loss.
    center_, spread_ : Float[np.ndarray, "dimension"]
        Mean and standard deviation of the embeddings fitted.
    reach_ : float
        The distance from the centre that 99% of the networks fitted lie within, see `distance`.
    seen_ : frozenset of str
        Fingerprints of the networks fitted, see `has_seen`.
    networks_ : int
        How many networks were fitted.
    embedding_ : Float[np.ndarray, "networks dimension"] or None
        The embeddings of the networks fitted, in order; None where a saved encoder does not hold them.
    layouts_ : frozenset of str
        The layouts of the networks fitted, see `StructureGraph.described`; empty where that was not saved.

    Notes
    -----
    Source: StructureReps (2024). What the paper leaves open is a parameter here; see the documentation of encoders.
    Cost of `transform`: some 40 passes over the edges, and the spectrum of the smaller side.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> draw = lambda *shape: torch.randn(*shape, generator=generator)
    >>> from synaplex.graph import NeuralGraph
    >>> small = NeuralGraph.from_weights([draw(20, 6, 4), draw(20, 3, 6)])  # a batch of 20 networks
    >>> large = NeuralGraph.from_weights([draw(9, 5), draw(7, 9), draw(2, 7)])
    >>> encoder = StructureEncoder(positions=2, epochs=1).fit(small)
    >>> encoder.transform([small, large]).shape
    (21, 96)
    """

    def __init__(
        self,
        architecture: str = "EA+TC+LF",
        *,
        positions: int = 8,
        adjacency: str = "absolute",
        kernel: int | None = None,
        direction: str = "both",
        edge_features: bool = True,
        node_features: tuple[str, ...] = (),
        width: int = 16,
        heads: int = 4,
        layers: int = 2,
        latent: int = 16,
        edge_hidden: int = 16,
        edge_heads: int = 1,
        noise: float = 0.1,
        pooling: str = "layers",
        strong_share: float = 0.2,
        kl_weight: float = 1e-3,
        epochs: int = 40,
        learning_rate: float = 3e-3,
        batch_size: int = 32,
        sparse_threshold: int = 2000,
        random_state: int = 0,
        device: str = "cpu",
        progress: bool = False,
    ) -> None:
        self.architecture = architecture
        self.positions = positions
        self.adjacency = adjacency
        self.kernel = kernel
        self.direction = direction
        self.edge_features = edge_features
        self.node_features = node_features
        self.width = width
        self.heads = heads
        self.layers = layers
        self.latent = latent
        self.edge_hidden = edge_hidden
        self.edge_heads = edge_heads
        self.noise = noise
        self.pooling = pooling
        self.strong_share = strong_share
        self.kl_weight = kl_weight
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.sparse_threshold = sparse_threshold
        self.random_state = random_state
        self.device = device
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> Self:
        """Train the autoencoder.

        Parameters
        ----------
        X
            Networks: a graph, a batch, a sequence of these, or a `GraphSet`. Only training networks: an encoder that
            was fitted on the networks it is judged on is transductive, and `has_seen` tells.
        y
            Ignored; there for scikit-learn's conventions.

        Raises
        ------
        SpecificationError
            If there is no network or no edge, or a parameter makes no sense.
        TrainingError
            If the loss is not a number.
        """
        check_parameters(self)
        networks = GraphSet.of(X)
        if not len(networks):
            raise SpecificationError("an encoder needs networks to be fitted on, and the population is empty")
        self.kernel_ = int(self.kernel or max(graph.largest_kernel for graph, _ in networks.layouts))
        self.edge_scale_ = 1.0
        generator = torch.Generator().manual_seed(int(self.random_state))
        self.model_ = StructureVGAE(self.plan(), generator).to(self.device)
        known = survey(networks, self.reader(), self.batch_size)
        self.edge_scale_, self.seen_ = known.reader.scale, known.seen
        calibrate(self.model_, networks, known, self.batch_size)
        self.history_ = train(
            self.model_,
            networks,
            known,
            Objective(strong_share=self.strong_share, kl_weight=self.kl_weight),
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            generator=generator,
            progress=self.progress,
        )
        embedded = self._embed(networks, known)
        self.networks_ = len(networks)
        self.embedding_: Float[np.ndarray, "networks dimension"] | None = embedded
        self.layouts_ = frozenset(graph.described for graph, _ in networks.layouts)
        self.center_, self.spread_ = embedded.mean(0), embedded.std(0)
        self.reach_ = float(np.quantile(self._away(embedded), 0.99)) or 1.0
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "networks dimension"]:
        """The embedding of each network, one a row, float64.

        Raises
        ------
        UndefinedMeasureError
            If the weights of a network are so large that its embedding overflows.
        """
        check_is_fitted(self)
        return self._embed(GraphSet.of(X), None)

    def distance(self, X: Any) -> Float[np.ndarray, " networks"]:
        """How far each network lies from those fitted, in units of what 99% of them keep within.

        The root mean square over the columns of the embedding of (value - mean) / (standard deviation) of the networks
        fitted, divided by `reach_`. Above 1 a network is unlike the population: do not trust predictions for it.
        """
        return self.distance_of(self.transform(X))

    def distance_of(self, embedded: Float[np.ndarray, "networks dimension"]) -> Float[np.ndarray, " networks"]:
        """As `distance`, of embeddings that are there already."""
        check_is_fitted(self)
        return self._away(embedded) / self.reach_

    def between(
        self, one: Float[np.ndarray, "networks dimension"], other: Float[np.ndarray, "others dimension"]
    ) -> Float[np.ndarray, "networks others"]:
        """The distance between each two embeddings: the root mean square of their difference over the columns.

        In units of the standard deviation of the networks fitted; columns in which these do not differ, or by rounding
        alone, are left as they are.
        """
        check_is_fitted(self)
        return np.asarray(cdist(one / self._unit, other / self._unit) / np.sqrt(one.shape[1]))

    def has_seen(self, X: Any) -> Bool[np.ndarray, " networks"]:
        """Whether each network is one of those fitted, by all that the encoder reads.

        That is its weights, and biases and gains where they are among `node_features`. To an encoder that reads no
        biases, a network with the weights of one fitted and other biases is that one: their embeddings are equal.
        """
        check_is_fitted(self)
        networks = GraphSet.of(X)
        return np.array([name in self.seen_ for name in networks.fingerprints(self.node_features)], dtype=bool)

    def describe(self, X: Any) -> pl.DataFrame:
        """What became of each network: a row a network.

        Returns
        -------
        polars.DataFrame
            ``nodes``, ``edges`` (places, one direction), and of its positional encoding ``trivial``, ``degenerate`` and
            ``padded``, see `PositionalEncoding`.
        """
        networks = GraphSet.of(X)
        rows: dict[int, dict[str, int]] = {}
        for batch in networks.batches(self.batch_size):
            graph = networks.structure(batch.tolist())
            found = self.reader().encoding(graph)
            for i, row in enumerate(batch.tolist()):
                counts = {key: int(getattr(found, key)[i]) for key in ("trivial", "degenerate", "padded")}
                rows[row] = {"nodes": graph.nodes, "edges": graph.edges, **counts}
        columns = ("nodes", "edges", "trivial", "degenerate", "padded")
        return pl.DataFrame([rows[i] for i in range(len(networks))], schema=dict.fromkeys(columns, pl.Int64))

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return int(self.latent) * POOLINGS[self.pooling]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the columns of `transform`."""
        return np.array([f"embedding_{i}" for i in range(self.dimension)], dtype=object)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "center_")

    def plan(self) -> EncoderPlan:
        """What the model is built from; known once fitted."""
        return EncoderPlan(
            architecture=self.architecture,
            kernel=self.kernel_,
            given=self.reader().width,
            edge_features=bool(self.edge_features),
            width=self.width,
            heads=self.heads,
            layers=self.layers,
            latent=self.latent,
            edge_hidden=self.edge_hidden,
            edge_heads=self.edge_heads,
            noise=self.noise,
        )

    def reader(self) -> BatchReader:
        """How networks are read; known once fitted."""
        return BatchReader(
            laplacian=self.architecture.endswith("LF"),
            positions=self.positions,
            adjacency=self.adjacency,
            sparse_threshold=self.sparse_threshold,
            node_features=tuple(self.node_features),
            kernel=self.kernel_,
            scale=self.edge_scale_,
            direction=self.direction,
            seed=int(self.random_state),
            device=self.device,
        )

    @torch.no_grad()
    def _embed(self, networks: GraphSet, known: Survey | None) -> Float[np.ndarray, "networks _"]:
        reader = self.reader()
        result = np.empty((len(networks), self.dimension))
        for batch in networks.batches(self.batch_size):
            graph = networks.structure(batch.tolist())
            messages = reader.messages(graph)
            given = reader.given(graph, None if known is None else known.of(batch))
            mean, _ = self.model_.encode(messages, given)
            result[batch] = pooled(mean, messages.places, self.pooling).cpu().numpy()
        lost = np.flatnonzero(~np.isfinite(result).all(1))
        if len(lost):
            raise UndefinedMeasureError(
                f"the embedding of {networks.name(int(lost[0]))} overflows: its weights are too large for an encoder "
                f"whose networks had edges of about {self.edge_scale_:.3g}"
            )
        return result

    def _away(self, embedded: Float[np.ndarray, "networks dimension"]) -> Float[np.ndarray, " networks"]:
        return self.between(embedded, self.center_[None])[:, 0]

    @property
    def _unit(self) -> Float[np.ndarray, " dimension"]:
        rounding = 1e-6 * float(np.abs(self.center_).max())  # embeddings are made of float32
        return np.where(self.spread_ > rounding, self.spread_, 1.0)


def check_parameters(encoder: StructureEncoder) -> None:
    """Refuse parameters that make no sense.

    Raises
    ------
    UnknownNameError, SpecificationError
        Naming the parameter.
    """
    named = {
        "architecture": (encoder.architecture, ARCHITECTURES),
        "adjacency": (encoder.adjacency, ADJACENCIES),
        "direction": (encoder.direction, DIRECTIONS),
        "pooling": (encoder.pooling, tuple(POOLINGS)),
    }
    for kind, (name, known) in named.items():
        if name not in known:
            raise UnknownNameError(kind, name, known)
    for name in encoder.node_features:
        if name not in NODE_FEATURES:
            raise UnknownNameError("node feature", name, NODE_FEATURES)
    for name in ("width", "heads", "layers", "latent", "edge_hidden", "edge_heads", "batch_size"):
        if int(getattr(encoder, name)) < 1:
            raise SpecificationError(f"{name} must be a positive integer, got {getattr(encoder, name)!r}")
    for name in ("positions", "epochs", "noise", "kl_weight", "random_state"):
        if not getattr(encoder, name) >= 0:
            raise SpecificationError(f"{name} must not be negative, got {getattr(encoder, name)!r}")
    if encoder.kernel is not None and encoder.kernel < 1:
        raise SpecificationError(f"kernel must be a positive integer or None, got {encoder.kernel!r}")
    if not 0 < encoder.strong_share < 1:
        raise SpecificationError(f"strong_share must lie between 0 and 1, got {encoder.strong_share!r}")
    if not encoder.learning_rate > 0:
        raise SpecificationError(f"learning_rate must be positive, got {encoder.learning_rate!r}")
    if not (encoder.positions or encoder.node_features or encoder.architecture.startswith("EA")):
        raise SpecificationError(f"{encoder.architecture} without positions or node features gives nodes no features")
