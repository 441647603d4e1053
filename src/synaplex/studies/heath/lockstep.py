"""Lockstep: networks of one shape that take the same steps on the same batches, computed as one.

The first layer of K networks reads one input, so that its K sparse matrices stand above each other in one; the other
layers are blocks on a diagonal. A step of all networks then is one product a layer, and augmentation is done once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from synaplex.sparse import SparseLinear
from synaplex.sparse.pattern import Pattern
from synaplex.sparse.products import product
from synaplex.studies.heath.batches import Batch
from synaplex.studies.heath.layers import rectified
from synaplex.studies.heath.member import Member
from synaplex.studies.heath.recipe import Hyper
from synaplex.studies.heath.srelu import srelu

_SAMPLES = 500
"""Samples that are evaluated at a time."""


class Lockstep:
    """The networks of a group for one epoch.

    Parameters
    ----------
    members
        All sparse, or all dense, of one shape.
    hyper
        Of their training.
    restart
        Whether momentum starts from 0.
    """

    def __init__(self, members: Sequence[Member], hyper: Hyper, *, restart: bool) -> None:
        self.members, self.hyper, self.restart, self.count = members, hyper, restart, len(members)
        links = [member.links for member in members]
        self.sizes = [link.out_features for link in links[0]]
        self.patterns = [
            side_by_side([own[i].pattern for own in links], shared=i == 0)
            if isinstance(links[0][i], SparseLinear)
            else None
            for i in range(len(self.sizes))
        ]
        self.values: dict[str, Tensor] = {}
        self.momentum: dict[str, Tensor] = {}
        for name in members[0].parameters():
            own = [member.parameters()[name] for member in members]
            self.values[name] = self._joined(name, [one.detach() for one in own]).requires_grad_()
            past = [None if restart else member.momentum(one) for member, one in zip(members, own, strict=True)]
            known = [torch.zeros_like(one) if old is None else old for one, old in zip(own, past, strict=True)]
            self.momentum[name] = self._joined(name, known)

    def _joined(self, name: str, parts: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(parts)) if self._sparse(name) else torch.stack(list(parts))

    def _sparse(self, name: str) -> bool:
        kind, _, place = name.partition(".")
        return kind == "weight" and self.patterns[int(place)] is not None

    def give_back(self, members: Sequence[Member]) -> None:
        """Leave weights and momentum with some of the members."""
        for name, value in self.values.items():
            own = [member.parameters()[name] for member in self.members]
            new, momentum = (
                torch.split(one.detach(), [len(part) for part in own]) if self._sparse(name) else one.detach().unbind()
                for one in (value, self.momentum[name])
            )
            for k, member in enumerate(self.members):
                if member in members:
                    member.keep(own[k], new[k], None if self.restart else momentum[k])

    def logits(
        self, x: Float[Tensor, "features batch"], masks: Sequence[Float[Tensor, "_ batch"]] = ()
    ) -> Float[Tensor, "networks classes batch"]:
        """What the networks say, before softmax."""
        h, last = x, len(self.sizes) - 1
        for i, size in enumerate(self.sizes):
            pattern, slopes = self.patterns[i], self.values.get(f"slopes.{i}")
            if pattern is not None and slopes is None and i < last:
                mask = masks[i] if masks else None
                h = rectified(pattern, self.values[f"weight.{i}"], self.values[f"bias.{i}"].flatten(), h, mask)
                continue
            h = self._linear(i, h)
            if i == last:
                break
            h = h.relu() if slopes is None else srelu(h, slopes.transpose(0, 1).flatten(1))
            if masks:
                h = (h.view(self.count, size, -1) * masks[i]).view(self.count * size, -1)
        return h.view(self.count, self.sizes[-1], -1)

    def _linear(self, i: int, h: Float[Tensor, "source batch"]) -> Float[Tensor, "target batch"]:
        weight, bias, pattern = self.values[f"weight.{i}"], self.values[f"bias.{i}"], self.patterns[i]
        if pattern is not None:
            return product(pattern, weight, h) + bias.view(-1, 1)
        if i == 0:
            return torch.addmm(bias.view(-1, 1), weight.flatten(0, 1), h)
        own = h.view(self.count, weight.shape[2], -1)
        return torch.baddbmm(bias[:, :, None], weight, own).flatten(0, 1)

    def step(self, batch: Batch) -> tuple[Float[Tensor, " networks"], Int[Tensor, " networks"]]:
        """One step of gradient descent; returns each network's mean loss and its number of right answers."""
        logits = self.logits(batch.x, batch.masks)
        losses = _losses(logits, batch.y)
        gradients = torch.autograd.grad(losses.sum(), list(self.values.values()))
        with torch.no_grad():
            momentum = list(self.momentum.values())
            torch._foreach_mul_(momentum, self.hyper.momentum)
            torch._foreach_add_(momentum, list(gradients))
            torch._foreach_add_(list(self.values.values()), momentum, alpha=-self.hyper.learning_rate)
            return losses.detach(), (logits.detach().argmax(1) == batch.y).sum(1)

    @torch.no_grad()
    def evaluate(
        self, x: Float[Tensor, "samples features"], y: Int[Tensor, " samples"]
    ) -> tuple[Float[Tensor, " networks"], Float[Tensor, " networks"]]:
        """Each network's mean loss and accuracy, without dropout."""
        loss = torch.zeros(self.count, dtype=torch.float64)
        right = torch.zeros(self.count, dtype=torch.float64)
        for part, truth in zip(torch.split(x, _SAMPLES), torch.split(y, _SAMPLES), strict=True):
            logits = self.logits(part.T.contiguous())
            loss += _losses(logits, truth).double().cpu() * len(truth)
            right += (logits.argmax(1) == truth).sum(1).cpu()
        return loss / len(x), right / len(x)


def _losses(logits: Float[Tensor, "networks classes batch"], y: Int[Tensor, " batch"]) -> Float[Tensor, " networks"]:
    return cross_entropy(logits, y.expand(len(logits), -1), reduction="none").mean(1)


def side_by_side(patterns: Sequence[Pattern], *, shared: bool) -> Pattern:
    """Several sparse matrices as one: above each other where they read the same input, else along the diagonal."""
    starts, columns, before = [patterns[0].row_start[:1]], [], 0
    for k, one in enumerate(patterns):
        starts.append(one.row_start[1:] + before)
        columns.append(one.column if shared else one.column + k * one.shape[1])
        before += len(one.column)
    out_size, in_size = patterns[0].shape
    shape = (out_size * len(patterns), in_size if shared else in_size * len(patterns))
    return Pattern.of(torch.cat(starts), torch.cat(columns), shape)
