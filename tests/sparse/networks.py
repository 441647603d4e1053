"""What the tests of sparse networks share."""

import torch
from torch import nn

from synaplex.sparse import sparsify


def small(
    seed: int = 0, *, epsilon: float = 4.0, dtype: torch.dtype = torch.float32, **options: object
) -> nn.Sequential:
    """A sparse 20-16-12-5 network; its last layer is dense."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5)).to(dtype)
    return sparsify(model, epsilon, seed=seed, **options)


def batch(seed: int, count: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 20, generator=generator), torch.randint(0, 5, (count,), generator=generator)


def train_step(model: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> float:
    x, y = batch(seed)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return float(loss.detach())
