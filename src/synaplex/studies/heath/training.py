"""Training a group: epoch after epoch, with a checkpoint at the end of each."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import nn

from synaplex.datasets import Dataset
from synaplex.population.engine import Report
from synaplex.population.progress import progress_bar
from synaplex.studies.heath.batches import Batch, Samples, batches, steps_of
from synaplex.studies.heath.lockstep import Lockstep
from synaplex.studies.heath.member import Member, make_member
from synaplex.studies.heath.observing import evolved, measured
from synaplex.studies.heath.pieces import FINISHED, load_checkpoint, save_checkpoint, save_results
from synaplex.studies.heath.plan import Group, Settings
from synaplex.studies.heath.recipe import widths

FORMAT = 1
"""Of the pieces: a change of what is trained or seen makes old ones useless."""


@dataclass(frozen=True, eq=False)
class Course:
    """What all groups of a dataset share.

    Attributes
    ----------
    samples
        Standardised images.
    digest
        Of the data.
    widths
        Neurons of all layers.
    settings
        How much is trained.
    """

    samples: Samples
    digest: str
    widths: tuple[int, ...]
    settings: Settings

    @classmethod
    def of(cls, data: Dataset, settings: Settings, device: str = "cpu") -> Course:
        """The course on a dataset."""
        return cls(Samples.of(data, torch.device(device)), data.digest(), widths(data), settings)

    def folder(self, runs: Path, group: Group) -> Path:
        """Where a group keeps what it has; another dataset, recipe or length has another folder."""
        kept = (self.settings.hyper, self.settings.snapshots, self.settings.draws)
        identity = repr((FORMAT, self.digest, self.widths, group, kept))
        return runs / f"{group.name}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def train_group(runs: Path, group: Group, course: Course, *, progress: bool = False) -> bool:
    """Train a group to its end, or what is missing of it.

    All that is random comes from the group's seed and the number of the epoch; what rules remember is in the
    checkpoint. Killed at any moment, it goes on after its last whole epoch, to the same result. A network whose loss is
    no number any more is left out from then on, with the weights of the epoch before.

    Returns
    -------
    bool
        False where another process is training this group.
    """
    folder = course.folder(runs, group)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            if not (folder / FINISHED).is_file():
                for part in folder.glob(".*.part"):
                    part.unlink(missing_ok=True)
                _train(folder, group, course, progress)
    except Timeout:
        return False
    return True


def _train(folder: Path, group: Group, course: Course, progress: bool) -> None:
    settings, samples = course.settings, course.samples
    device = samples.x_train.device
    members = [
        make_member(method, course.widths, group.recipe, settings.hyper, group.seed, group.epochs, device)
        for method in group.methods
    ]
    done, before = load_checkpoint(folder, members)
    started, steps = time.perf_counter(), steps_of(samples, settings.hyper)
    with progress_bar(group.name, group.epochs * steps, shown=progress) as report:
        report(done * steps)
        for epoch in range(done + 1, group.epochs + 1):
            run_epoch([one for one in members if one.lost is None], group, course, epoch, report)
            save_checkpoint(folder, members, epoch, before + time.perf_counter() - started)
    save_results(folder, group, members, before + time.perf_counter() - started)


def run_epoch(members: Sequence[Member], group: Group, course: Course, epoch: int, report: Report) -> None:
    """One epoch of some members: training, what is seen, and a round of evolution."""
    if not members:
        return
    samples, settings = course.samples, course.settings
    together = Lockstep(members, settings.hyper, restart=group.recipe.restart)
    loss, right = torch.zeros(2, len(members), dtype=torch.float64, device=samples.x_train.device)
    total, last = len(samples.x_train), None
    for last in batches(samples, settings.hyper, course.widths[1:-1], group.seed, epoch):
        losses, hits = together.step(last)
        loss += losses.double() * len(last.y)
        right += hits
        report(1)
    tested, accuracy = together.evaluate(samples.x_test, samples.y_test)
    sound = (loss.cpu().isfinite() & tested.isfinite()).tolist()
    together.give_back([member for member, good in zip(members, sound, strict=True) if good])
    # As the released code does: the first epoch, and every n-th after it.
    snapshot = (epoch - 1) % settings.snapshots == 0 or epoch == group.epochs
    for i, member in enumerate(members):
        if not sound[i]:
            member.lost = epoch
            continue
        row = {
            "epoch": epoch,
            "train_loss": float(loss[i] / total),
            "train_accuracy": float(right[i] / total),
            "test_loss": float(tested[i]),
            "test_accuracy": float(accuracy[i]),
            **measured(member, epoch, snapshot=snapshot, draws=settings.draws, seed=group.seed),
        }
        connections = sum(link.weight.numel() for link in member.links[:-1])
        if member.evolution is not None:
            if member.evolution.grow.needs_gradients and last is not None:
                show_gradients(member.model, last)
            member.evolution.epoch(accuracy=row["test_accuracy"], loss=row["train_loss"])
        member.rows.append(row | evolved(member, connections))


def show_gradients(model: nn.Module, batch: Batch) -> None:
    """Let rules that read gradients see those of a batch, without dropout."""
    nn.functional.cross_entropy(model(batch.x.T), batch.y).backward()  # type: ignore[no-untyped-call]
    model.zero_grad(set_to_none=True)
