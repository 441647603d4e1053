"""The architectures of La Malfa et al. (2021, 2024), as far as their papers and released code tell them.

Neither paper gives widths, kernels or strides; what is chosen here is said with each choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from synaplex.errors import SpecificationError, UnknownNameError
from synaplex.networks.activations import Activation
from synaplex.networks.architecture import Architecture
from synaplex.networks.autoencoder import autoencoder
from synaplex.networks.cnn import cnn
from synaplex.networks.initializers import Normal, Uniform
from synaplex.networks.mlp import mlp
from synaplex.networks.rnn import rnn

IMAGES: dict[str, tuple[int, int, int]] = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion-mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "cifar10-grey": (1, 32, 32),
}
"""Channels, height and width of the images of each dataset."""

CLASSES = 10
DENSE = 32
"""Neurons of the dense layer between convolutions and output, as in the released code of the 2021 paper."""


def la_malfa_2021(
    architecture: str,
    parameters: int = 10_000,
    dataset: str = "mnist",
    *,
    convolutions: int = 2,
) -> Architecture:
    """A network of La Malfa et al. (2021): ReLU, biases, outputs before the softmax.

    ``"dense"``: four dense layers, the three hidden ones of one width. ``"cnn"``: two convolutions and two dense layers
    (``convolutions=4`` for their individual analysis on CIFAR-10). The paper has families of 10^4 and 10^5 parameters
    and gives no widths. As in its released code all hidden layers are of one width, all convolutions have as many
    channels and kernels of 3 x 3 without padding, and 32 neurons stand before the output. There the stride is 1, which
    makes the first dense layer alone larger than 10^4; here every convolution has stride 2, of four only the second and
    the fourth. The width is the one that comes nearest to `parameters`.

    Parameters
    ----------
    architecture
        ``"dense"`` or ``"cnn"``.
    parameters
        Wanted number of parameters.
    dataset
        Name of a dataset of images.
    convolutions
        Of a ``"cnn"``: 2 or 4.

    Raises
    ------
    UnknownNameError
        For another architecture or dataset.
    SpecificationError
        If there are not 2 or 4 convolutions, or no width comes near so few parameters.

    Examples
    --------
    >>> print(la_malfa_2021("dense", 10_000), la_malfa_2021("cnn", 10_000))
    784-12-12-12-10 1x28x28-8c3/2-8c3/2-32-10
    """
    image = _image(dataset)
    if architecture == "dense":
        return _nearest(parameters, lambda width: mlp(math.prod(image), *[width] * 3, CLASSES, bias=True))
    if architecture != "cnn":
        raise UnknownNameError("architecture", architecture, ("dense", "cnn"))
    if convolutions not in (2, 4):
        raise SpecificationError(f"la_malfa_2021 has 2 or 4 convolutions, got {convolutions}")
    # Images of 8 x 8 pixels are too small to be halved so often.
    strides = ((1, 2) if min(image[1:]) < 16 else (2, 2)) if convolutions == 2 else (1, 2, 1, 2)
    padding = 1 if min(image[1:]) < 16 and convolutions == 4 else 0

    def make(channels: int) -> Architecture:
        width = [channels] * convolutions
        return cnn(image, *width, dense=(DENSE, CLASSES), stride=strides, padding=padding, bias=True)

    return _nearest(parameters, make)


def la_malfa_2021_initializer(distribution: str, scale: float) -> Normal | Uniform:
    """Initial weights of La Malfa et al. (2021): normal, or uniform around zero, at scale 0.05 or 0.5.

    The paper calls the scale "variance/support". In the released code, and here, it is the standard deviation of the
    normal and the half-width of the uniform distribution. There biases are drawn like weights: build with
    ``biases="weights"``.

    Raises
    ------
    UnknownNameError, SpecificationError
        For another distribution, or a scale that is not positive.
    """
    if distribution == "normal":
        return Normal(std=scale)
    if distribution == "uniform":
        return Uniform(low=-scale, high=scale)
    raise UnknownNameError("distribution", distribution, ("normal", "uniform"))


def la_malfa_2024(
    architecture: str,
    depth: int = 3,
    activation: Activation = "relu",
    dataset: str = "mnist",
    *,
    parameters: int = 100_000,
) -> Architecture:
    """A network of La Malfa et al. (2024), with biases and outputs before the softmax.

    `depth` counts layers of neurons, input and output included, as the released code does and as the caption of fig. 2
    reads ("second and third layers (hidden and output layers)" of three): depth 3 has one hidden layer. Number k of the
    paper is layer k - 1 of a graph, whose input is layer 0.

    ``"dense"``: hidden layers of one width. ``"autoencoder"``: each layer of the encoder half as wide as the one
    before, mirrored; its output layer has a sigmoid if its hidden layers do, else none. ``"cnn"``: all hidden layers
    are convolutions of as many channels, 3 x 3, stride 1, and the output is dense. ``"rnn"``: one recurrent layer over
    the rows of the image. Recurrent weights drawn at the paper's variances would multiply the state of linear and ReLU
    neurons several times over in each step: theirs start orthogonal; see `RNN`. Numbers of parameters are to be
    comparable; the paper gives none: the width is the one that comes nearest to `parameters`.

    Parameters
    ----------
    architecture
        ``"dense"``, ``"cnn"``, ``"rnn"`` or ``"autoencoder"``.
    depth
        3, 5, 7 or 9 for dense networks and autoencoders, 3 or 5 for convolutional, 3 for recurrent networks; any
        other is built as well, if an autoencoder's is odd.
    activation
        Of the hidden layers: ``"linear"``, ``"relu"`` or ``"sigmoid"``.
    dataset
        Name of a dataset of images.
    parameters
        Wanted number of parameters.

    Raises
    ------
    UnknownNameError
        For another architecture or dataset.
    SpecificationError
        For a depth below 3 or that cannot be, or if no width comes near so few parameters.

    Examples
    --------
    >>> for name in ("dense", "cnn", "rnn", "autoencoder"):
    ...     network = la_malfa_2024(name)
    ...     print(name, network, network.parameters)
    dense 784-126-10 100180
    cnn 1x28x28-15c3-10 101560
    rnn 28x28-297r-10 99802
    autoencoder 784-63-784 99631
    """
    image = _image(dataset)
    inputs = math.prod(image)
    if depth < 3:
        raise SpecificationError(f"depth counts input and output layers, so it is at least 3, got {depth}")
    if architecture == "dense":
        return _nearest(
            parameters, lambda width: mlp(inputs, *[width] * (depth - 2), CLASSES, activation=activation, bias=True)
        )
    if architecture == "cnn":
        return _nearest(
            parameters,
            lambda channels: cnn(image, *[channels] * (depth - 2), dense=(CLASSES,), activation=activation, bias=True),
        )
    if architecture == "rnn":
        if depth != 3:
            raise SpecificationError(f"the recurrent network has one recurrent layer: depth 3, got {depth}")
        start: Literal["drawn", "orthogonal"] = "drawn" if activation == "sigmoid" else "orthogonal"
        return _nearest(
            parameters,
            lambda hidden: rnn(image, hidden, CLASSES, activation=activation, bias=True, recurrence=start),
        )
    if architecture == "autoencoder":
        if depth % 2 == 0:
            raise SpecificationError(f"an autoencoder has an odd number of layers, got {depth}")
        output: Activation = "sigmoid" if activation == "sigmoid" else "linear"

        def make(width: int) -> Architecture:
            encoder = [max(1, round(width / 2**i)) for i in range((depth - 1) // 2)]
            return autoencoder(inputs, *encoder, activation=activation, output_activation=output, bias=True)

        return _nearest(parameters, make)
    raise UnknownNameError("architecture", architecture, ("dense", "cnn", "rnn", "autoencoder"))


def la_malfa_2024_initializer(dataset: str, *, reading: str = "variance") -> Normal:
    """Initial weights of La Malfa et al. (2024): Gaussian, 0.05 for MNIST and 0.5 for CIFAR-10.

    Parameters
    ----------
    dataset
        0.5 for ``"cifar10"`` in colour or grey, else 0.05.
    reading
        ``"variance"``, as the paper calls the number; ``"std"``, as the released code of the autoencoders uses it.
    """
    scale = 0.5 if dataset.startswith("cifar10") else 0.05
    if reading not in ("variance", "std"):
        raise UnknownNameError("reading", reading, ("variance", "std"))
    return Normal(std=math.sqrt(scale) if reading == "variance" else scale)


def _image(dataset: str) -> tuple[int, int, int]:
    if dataset not in IMAGES:
        raise UnknownNameError("dataset of images", dataset, IMAGES)
    return IMAGES[dataset]


def _nearest(parameters: int, make: Callable[[int], Architecture]) -> Architecture:
    """The width whose network comes nearest to a number of parameters, which grows with the width."""
    low, high = 1, 2
    while make(high).parameters < parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if make(middle).parameters < parameters else (low, middle)
    best = min(make(low), make(high), key=lambda network: abs(network.parameters - parameters))
    if not parameters / 2 <= best.parameters <= 2 * parameters:
        raise SpecificationError(
            f"no such network has about {parameters} parameters; the nearest has {best.parameters}"
        )
    return best
