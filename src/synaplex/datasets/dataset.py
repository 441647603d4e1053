"""Dataset: the inputs and targets that networks are trained and tested on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from synaplex.errors import SpecificationError


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A training set and a test set.

    Attributes
    ----------
    name
        Under which `synaplex.datasets.load` finds it, or one of your own.
    x_train, x_test
        Inputs, float32 ``(samples, features)``.
    y_train, y_test
        Class indices, int64 ``(samples,)``; or, for regression, float32 ``(samples, targets)``.
    classes
        Names of the classes; empty for regression.
    description
        Where the data come from, how they are scaled and split.

    Raises
    ------
    SpecificationError
        If shapes, types or class indices do not fit together, or a value is not a finite number.
    """

    name: str
    # Axes are left without names here: where they do not agree, the check below says so in plain words.
    x_train: Float[Tensor, "_ _"]
    y_train: Int[Tensor, " _"] | Float[Tensor, "_ _"]
    x_test: Float[Tensor, "_ _"]
    y_test: Int[Tensor, " _"] | Float[Tensor, "_ _"]
    classes: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            self._check(name)
        if self.x_train.shape[1] != self.x_test.shape[1]:
            raise self._fault(f"{self.x_train.shape[1]} training features but {self.x_test.shape[1]} test features")
        for part, x, y in (("training", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            if len(x) != len(y) or len(x) == 0:
                raise self._fault(f"{len(x)} {part} inputs for {len(y)} {part} targets")
            if not bool(torch.isfinite(x).all()) or not bool(torch.isfinite(y).all()):
                raise self._fault(f"the {part} set holds NaN or infinite values")
            if self.classes and (y.min() < 0 or y.max() >= len(self.classes)):
                raise self._fault(f"the {part} targets are not integers from 0 to {len(self.classes) - 1}")
        if self.y_train.shape[1:] != self.y_test.shape[1:]:
            raise self._fault(f"{self.y_train.shape[1]} training targets but {self.y_test.shape[1]} test targets")

    def _check(self, name: str) -> None:
        """Raise unless a part is a tensor of as many dimensions, and of such numbers, as it should be."""
        part = getattr(self, name)
        inputs = name.startswith("x")
        if not isinstance(part, Tensor):
            kind = f"{type(part).__module__}.{type(part).__qualname__}".removeprefix("builtins.")
            way = "from_numpy" if kind == "numpy.ndarray" else "as_tensor"
            raise self._fault(f"{name} is a {kind}, no tensor: torch.{way}({name}) makes one of it")
        if not (inputs or self.classes or part.is_floating_point()):
            raise self._fault(f"{name} holds {part.dtype}, but no classes are named; for a regression: {name}.float()")
        asked = "(samples, features)" if inputs else "(samples,)" if self.classes else "(samples, targets)"
        table = asked != "(samples,)"
        if part.ndim != (2 if table else 1):
            way = _as_table(part) if table else _as_indices(part)
            raise self._fault(f"{name} has shape {tuple(part.shape)}, {asked} is expected: {name}.{way}")
        if table and not part.is_floating_point():
            raise self._fault(f"{name} holds {part.dtype}, inputs are floating-point numbers: {name}.float()")
        if not table and (part.is_floating_point() or part.is_complex() or part.dtype == torch.bool):
            raise self._fault(f"{name} holds {part.dtype}, class indices are integers: {name}.long()")

    def _fault(self, what: str) -> SpecificationError:
        return SpecificationError(f"dataset {self.name!r}: {what}")

    @property
    def features(self) -> int:
        """Number of inputs of a sample."""
        return self.x_train.shape[1]

    @property
    def outputs(self) -> int:
        """Number of outputs a network needs: classes, or targets of a regression."""
        return len(self.classes) or self.y_train.shape[1]

    def subset(self, train: int | None = None, test: int | None = None) -> Dataset:
        """The first `train` training and `test` test samples; all where None.

        Raises
        ------
        SpecificationError
            If there are fewer samples than asked for.
        """
        for part, asked, there in (("training", train, len(self.x_train)), ("test", test, len(self.x_test))):
            if asked is not None and not 0 < asked <= there:
                raise self._fault(f"{asked} {part} samples asked, {there} there")
        return replace(
            self,
            x_train=self.x_train[:train],
            y_train=self.y_train[:train],
            x_test=self.x_test[:test],
            y_test=self.y_test[:test],
        )

    def digest(self) -> str:
        """SHA-256 over shapes and values of the four tensors: equal for equal data, whatever the name."""
        digest = hashlib.sha256()
        for tensor in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{tuple(tensor.shape)} {tensor.dtype};".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else f"{self.outputs} targets"
        return (
            f"Dataset({self.name!r}: {len(self.x_train):,} training and {len(self.x_test):,} test samples, "
            f"{self.features} features, {kind})"
        )


def _as_table(part: Tensor) -> str:
    """What makes rows of features of a tensor."""
    return "flatten(1)" if part.ndim > 2 else "reshape(-1, 1)"


def _as_indices(part: Tensor) -> str:
    """What makes class indices of a tensor: of a column, or of a mark or score a class."""
    return "argmax(1)" if part.ndim == 2 and part.shape[1] > 1 else "flatten()"
