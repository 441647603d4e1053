"""The convolutional network: convolutions, then dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator
from torch import nn

from synaplex.networks.activations import MODULES, Activation
from synaplex.networks.architecture import Architecture
from synaplex.networks.mlp import dense_layers


class CNN(Architecture):
    """A convolutional network without pooling: strides make images smaller.

    Attributes
    ----------
    image
        Channels, height and width of a sample.
    channels
        Output channels of each convolution.
    dense
        Number of neurons of each dense layer, outputs included.
    kernel
        Side of the square kernels.
    strides
        Of each convolution.
    padding
        Zeros added on each side of an image before each convolution.
    activation
        Of all layers but the last, which has none: a softmax belongs to the loss.
    bias
        Whether neurons have biases; one a channel in a convolution.
    """

    kind: Literal["cnn"] = "cnn"
    image: tuple[PositiveInt, PositiveInt, PositiveInt]
    channels: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    dense: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    kernel: PositiveInt = 3
    strides: tuple[PositiveInt, ...] = ()
    padding: NonNegativeInt = 0
    activation: Activation = "relu"
    bias: bool = False

    @model_validator(mode="after")
    def _fits(self) -> CNN:
        if len(self.strides) != len(self.channels):
            raise ValueError(f"{len(self.channels)} convolutions need as many strides, got {self.strides}")
        for number, (_, height, width) in enumerate(self.images[:-1], 1):
            if min(height, width) + 2 * self.padding < self.kernel:
                raise ValueError(
                    f"a kernel of {self.kernel} x {self.kernel} does not fit the images of {height} x {width} pixels "
                    f"that convolution {number} reads"
                )
        return self

    @property
    def images(self) -> tuple[tuple[int, int, int], ...]:
        """Channels, height and width of the input and of the output of each convolution."""
        shapes = [self.image]
        for channels, stride in zip(self.channels, self.strides, strict=True):
            height, width = (max(0, side + 2 * self.padding - self.kernel) // stride + 1 for side in shapes[-1][1:])
            shapes.append((channels, height, width))
        return tuple(shapes)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a sample."""
        return self.image

    @property
    def outputs(self) -> int:
        """Number of output neurons."""
        return self.dense[-1]

    def skeleton(self) -> nn.Sequential:
        modules: list[nn.Module] = []
        for (before, *_), (after, *_), stride in zip(self.images, self.images[1:], self.strides, strict=False):
            modules += [
                nn.Conv2d(before, after, self.kernel, stride, self.padding, bias=self.bias, device="meta"),
                MODULES[self.activation](),
            ]
        channels, height, width = self.images[-1]
        dense = dense_layers((channels * height * width, *self.dense), self.activation, bias=self.bias)
        return nn.Sequential(*modules, nn.Flatten(), *dense)

    def __str__(self) -> str:
        convolutions = "-".join(
            f"{channels}c{self.kernel}" + (f"/{stride}" if stride > 1 else "")
            for channels, stride in zip(self.channels, self.strides, strict=True)
        )
        return f"{'x'.join(map(str, self.image))}-{convolutions}-{'-'.join(map(str, self.dense))}"


def cnn(
    image: Sequence[int],
    *channels: int,
    dense: Sequence[int],
    kernel: int = 3,
    stride: int | Sequence[int] = 1,
    padding: int = 0,
    activation: Activation = "relu",
    bias: bool = False,
) -> CNN:
    """Describe a convolutional network: convolutions, then dense layers.

    Parameters
    ----------
    image
        Channels, height and width of a sample.
    *channels
        Output channels of each convolution.
    dense
        Number of neurons of each dense layer, outputs included.
    kernel
        Side of the square kernels.
    stride
        Of all convolutions, or of each.
    padding
        Zeros added on each side of an image before each convolution.
    activation
        ``"relu"``, ``"tanh"``, ``"sigmoid"`` or ``"linear"``, of all layers but the last.
    bias
        Whether neurons have biases.

    Raises
    ------
    SpecificationError
        For a size below 1, a kernel larger than its images, or an unknown activation.

    Examples
    --------
    >>> network = cnn((1, 8, 8), 4, 6, dense=(16, 10), stride=(1, 2))
    >>> print(network, network.parameters)
    1x8x8-4c3-6c3/2-16-10 796
    >>> network.images
    ((1, 8, 8), (4, 6, 6), (6, 2, 2))
    """
    strides = (stride,) * len(channels) if isinstance(stride, int) else tuple(stride)
    return CNN(
        image=tuple(image),
        channels=channels,
        dense=tuple(dense),
        kernel=kernel,
        strides=strides,
        padding=padding,
        activation=activation,
        bias=bias,
    )
