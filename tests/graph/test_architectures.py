"""Graphs of whole architectures: linear ones give autograd's Jacobian, all others account for every parameter."""

from __future__ import annotations

import copy
import time
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import synaplex as sx
from synaplex.graph import NeuralGraph, trace
from tests.graph.models import Model, derivative, through


def assert_same_map(model: nn.Module, *shapes: tuple[int, ...]) -> NeuralGraph:
    """The model is linear up to biases: its graph maps a direction as its derivative does."""
    directions = tuple(torch.randn(1, *shape, dtype=torch.float64) for shape in shapes)
    expected = derivative(model, *directions)
    graph = trace(model, directions)
    assert not graph.gaps
    made = through(graph, *(direction.flatten() for direction in directions))
    torch.testing.assert_close(torch.cat(made), torch.cat([one.flatten() for one in expected]))
    return graph


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def shaken(model: nn.Module) -> nn.Module:
    """The same model with parameters and running statistics that are not all zeros and ones."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
        for name, buffer in model.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
            elif name.endswith("running_mean"):
                buffer.normal_()
    return model


def conv(*sizes: int, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(*sizes, **options)


class Basic(nn.Module):
    """A residual block of two convolutions; the shortcut slices and pads (option A) or convolves (option B)."""

    def __init__(self, inner: int, outer: int, stride: int = 1, option: str = "A", act: nn.Module | None = None):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outer)
        self.act = nn.ReLU(inplace=True) if act is None else act
        self.shortcut = nn.Sequential()
        self.pad = (outer - inner) // 2 if option == "A" else 0
        self.stride = stride
        if option == "B" and (stride != 1 or inner != outer):
            self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))

    def forward(self, x: Tensor) -> Tensor:
        out = self.act(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.pad:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.pad, self.pad), "constant", 0)
        out += self.shortcut(x)
        return self.act(out)


class CifarNet(nn.Module):
    """A residual network for small images, of the kind that CIFAR-10 checkpoints are of."""

    def __init__(self, blocks: int = 1, option: str = "A", act: nn.Module | None = None, width: int = 4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.act = nn.ReLU(inplace=True) if act is None else act
        layers: list[nn.Module] = []
        sizes = [width, width, 2 * width, 4 * width]
        for stage in range(3):
            for block in range(blocks):
                first = block == 0
                inner = sizes[stage] if first else sizes[stage + 1]
                layers.append(Basic(inner, sizes[stage + 1], 2 if first and stage else 1, option, act))
        self.layers = nn.Sequential(*layers)
        self.linear = nn.Linear(4 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layers(self.act(self.bn1(self.conv1(x))))
        out = F.avg_pool2d(out, out.size()[3])
        return self.linear(out.view(out.size(0), -1))


class UNet(nn.Module):
    """Two levels of convolutions, down and up again, with skip connections."""

    def __init__(self, act: nn.Module, up: str = "transposed", pool: nn.Module | None = None) -> None:
        super().__init__()
        self.act = act
        self.pool = pool or nn.MaxPool2d(2)
        self.down1 = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), act)
        self.down2 = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.BatchNorm2d(6), act)
        self.middle = nn.Conv2d(6, 8, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(8, 6, 2, 2) if up == "transposed" else nn.Upsample(scale_factor=2, mode=up)
        self.up1 = nn.ConvTranspose2d(6, 4, 2, 2) if up == "transposed" else nn.Upsample(scale_factor=2, mode=up)
        self.join2 = nn.Conv2d(12 if up == "transposed" else 14, 6, 3, padding=1)
        self.join1 = nn.Conv2d(8 if up == "transposed" else 10, 4, 3, padding=1)
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.down1(x)
        two = self.down2(self.pool(one))
        deep = self.act(self.middle(self.pool(two)))
        two = self.act(self.join2(torch.cat([self.up2(deep), two], 1)))
        return self.head(self.act(self.join1(torch.cat([one, self.up1(two)], dim=1))))


IMAGES = {
    "convolution": Model(lambda m, x: m.a(x), a=conv(3, 4, 3)),
    "strides, padding, dilation, groups": nn.Sequential(
        conv(3, 6, 3, stride=2, padding=1), conv(6, 6, 3, padding=2, dilation=2, groups=3), conv(6, 2, (1, 3))
    ),
    "same padding": conv(3, 4, 5, padding="same", dilation=2),
    "circular padding": conv(3, 4, 3, padding=1, padding_mode="circular"),
    "reflected padding": conv(3, 4, 3, padding=2, padding_mode="reflect"),
    "to a classifier": nn.Sequential(conv(3, 4, 3), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 5)),
    "average pooling": nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "adaptive pooling": nn.Sequential(conv(3, 4, 3), nn.AdaptiveAvgPool2d((2, 3))),
    "global mean": Model(lambda m, x: m.b(m.a(x).mean((2, 3))), a=conv(3, 4, 3), b=nn.Linear(4, 2)),
    "global mean, kept": Model(lambda m, x: m.b(m.a(x).mean([-1, -2], keepdim=True)), a=conv(3, 4, 3), b=conv(4, 2, 1)),
    "sum over channels": Model(lambda m, x: m.a(x).sum(1), a=conv(3, 4, 3)),
    "mean over rows": Model(lambda m, x: m.a(x).mean(2), a=conv(3, 4, 3)),
    "batch normalisation": shaken(nn.Sequential(conv(3, 4, 3, bias=False), nn.BatchNorm2d(4), conv(4, 2, 3))),
    "normalised inputs": Model(
        lambda m, x: m.a((x - torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)) / torch.tensor([[[2.0]], [[3.0]], [[4.0]]])),
        a=conv(3, 4, 3),
    ),
    "channels last": Model(
        lambda m, x: m.b(m.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2), a=conv(3, 4, 3), b=nn.Linear(4, 5)
    ),
    "channels last, flattened": Model(
        lambda m, x: m.b(m.a(x).permute(0, 2, 3, 1).flatten(1)), a=conv(3, 2, 5), b=nn.Linear(32, 5)
    ),
    "two heads": Model(lambda m, x: (m.b(h := m.a(x)), m.c(h)), a=conv(3, 4, 3), b=conv(4, 2, 1), c=conv(4, 1, 3)),
    "skip connection": Model(
        lambda m, x: m.c(torch.cat([m.a(x), x, m.b(x)], 1)),
        a=conv(3, 4, 1),
        b=conv(3, 2, 3, padding=1),
        c=conv(9, 2, 3),
    ),
    "grouped after joining": Model(
        lambda m, x: m.c(torch.cat([m.a(x), x], 1)), a=conv(3, 3, 1), c=conv(6, 4, 3, groups=2)
    ),
    "normalised after joining": shaken(
        Model(lambda m, x: m.c(m.n(torch.cat([m.a(x), x], 1))), a=conv(3, 3, 1), n=nn.BatchNorm2d(6), c=conv(6, 4, 3))
    ),
    "pooled after joining": Model(lambda m, x: F.avg_pool2d(torch.cat([m.a(x), x], 1), 2), a=conv(3, 3, 1)),
    "halves": Model(lambda m, x: m.b(m.a(x).chunk(2, 1)[0]) + m.a(x).chunk(2, 1)[1], a=conv(3, 4, 1), b=conv(2, 2, 1)),
    "shuffled channels": Model(
        lambda m, x: m.b(F.channel_shuffle(m.a(x), 2)), a=conv(3, 4, 1), b=conv(4, 4, 3, groups=2)
    ),
    "pixel shuffle": Model(lambda m, x: m.b(F.pixel_shuffle(m.a(x), 2)), a=conv(3, 4, 3), b=conv(1, 2, 3)),
    "transposed convolution": nn.Sequential(
        conv(3, 4, 3, stride=2), nn.ConvTranspose2d(4, 2, 3, 2, 1, output_padding=1)
    ),
    "nearest": nn.Sequential(conv(3, 4, 3), nn.Upsample(scale_factor=2), conv(4, 2, 3)),
    "bilinear": nn.Sequential(conv(3, 4, 3), nn.Upsample(scale_factor=2, mode="bilinear"), conv(4, 2, 3)),
    "bilinear to a size": Model(
        lambda m, x: F.interpolate(m.a(x), (5, 11), mode="bilinear", align_corners=True), a=conv(3, 4, 3)
    ),
    "bicubic": nn.Sequential(conv(3, 4, 3), nn.Upsample(scale_factor=1.5, mode="bicubic")),
    "padded by hand": Model(lambda m, x: m.a(F.pad(x, (1, 2, 0, 1))), a=conv(3, 4, 3)),
    "reflected by hand": Model(lambda m, x: m.a(F.pad(x, (1, 2, 0, 1), mode="reflect")), a=conv(3, 4, 3)),
    "cropped": Model(lambda m, x: m.b(m.a(x)[:, :, 1:-1, 2:]), a=conv(3, 4, 3), b=conv(4, 2, 2)),
    "rolled and flipped": Model(
        lambda m, x: m.b(m.a(x).roll((1, 2), (2, 3)).flip(3)), a=conv(3, 4, 3), b=conv(4, 2, 3)
    ),
    "scaled branch": Model(lambda m, x: x + 0.1 * m.a(x), a=conv(3, 3, 3, padding=1)),
    "scaled input": Model(lambda m, x: m.a(2 * x - 1), a=conv(3, 3, 3)),
    "learned gate": Model(lambda m, x: x + m.alpha * m.a(x), a=conv(3, 3, 1), alpha=nn.Parameter(torch.tensor(0.3))),
    "layer scale": Model(
        lambda m, x: x + m.gamma[:, None, None] * m.a(x), a=conv(3, 3, 1), gamma=nn.Parameter(torch.randn(3))
    ),
    "patches by hand": Model(
        lambda m, x: m.a(x.view(1, 3, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(1, 4, 48)), a=nn.Linear(48, 5)
    ),
    "mixer": Model(
        lambda m, x: (m.c((h := m.a(x).flatten(2)) + m.b(h)).transpose(1, 2) @ m.d).mean(1),
        a=conv(3, 5, 4, stride=4),
        b=nn.Linear(4, 4),
        c=nn.Linear(4, 4),
        d=nn.Parameter(torch.randn(5, 3)),
    ),
    "written in place": Model(
        lambda m, x: m.c(_written(m.a(x), m.b(x))), a=conv(3, 4, 1), b=conv(3, 2, 1), c=conv(4, 2, 3)
    ),
    "residual network, option A": shaken(CifarNet(2, "A", nn.Identity(), width=2)),
    "residual network, option B": shaken(CifarNet(1, "B", nn.Identity(), width=2)),
    "U-Net": shaken(UNet(nn.Identity(), "transposed", nn.AvgPool2d(2))),
    "U-Net, bilinear": shaken(UNet(nn.Identity(), "bilinear", nn.AvgPool2d(2))),
    "einsum": Model(
        lambda m, x: torch.einsum("bchw,cd->bdhw", m.a(x), m.w), a=conv(3, 4, 3), w=nn.Parameter(torch.randn(4, 2))
    ),
    "wide kernel": nn.Sequential(conv(3, 4, 8), nn.Flatten(), nn.Linear(4, 2)),
    "broadcast neuron": Model(lambda m, x: m.a(x) + m.b(x), a=conv(3, 4, 3), b=conv(3, 1, 3)),
    "outer product": Model(lambda m, x: m.a(x)[..., None] * m.w, a=conv(3, 2, 7), w=nn.Parameter(torch.randn(3))),
}


def _written(whole: Tensor, part: Tensor) -> Tensor:
    whole[:, 1:3] = part
    return whole


def shape_of(name: str) -> tuple[int, ...]:
    return (1, 8, 8) if name.startswith("U-Net") else (3, 8, 8)


@pytest.mark.parametrize("name", IMAGES)
def test_paths_of_a_linear_image_model_make_its_jacobian(name: str) -> None:
    assert_same_map(IMAGES[name], shape_of(name))


class Bottleneck(nn.Module):
    """A residual block of three convolutions that narrows and widens."""

    def __init__(self, inner: int, middle: int, outer: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inner, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2, self.bn2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = nn.Conv2d(middle, outer, 1, bias=False), nn.BatchNorm2d(outer)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and inner == outer
        self.downsample = (
            None if same else nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.downsample is not None:
            x = self.downsample(x)
        out += x
        return self.relu(out)


class ResNet(nn.Module):
    """A residual network for large images: 18 layers of basic blocks, or 50 of bottlenecks."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        blocks: list[nn.Module] = []
        inner = 64
        for stage, count in enumerate((2, 2, 2, 2) if depth == 18 else (3, 4, 6, 3)):
            width = 64 * 2**stage
            for number in range(count):
                stride = 2 if stage and not number else 1
                outer = width if depth == 18 else 4 * width
                block = Basic(inner, width, stride, "B") if depth == 18 else Bottleneck(inner, width, outer, stride)
                blocks.append(block)
                inner = outer
        self.layers = nn.Sequential(*blocks)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(inner, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Squeeze(nn.Module):
    """Depthwise convolution whose channels are gated by their own means."""

    def __init__(self) -> None:
        super().__init__()
        self.spread, self.depth = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.down, self.up, self.project = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1), nn.Conv2d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.silu(self.depth(F.silu(self.spread(x))))
        gate = self.up(F.relu(self.down(F.adaptive_avg_pool2d(h, 1)))).sigmoid()
        return x + self.project(h * gate)


WHOLE: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "ResNet-18": (ResNet(18), (3, 32, 32)),
    "CIFAR network, option A": (CifarNet(3, "A", width=16), (3, 32, 32)),
    "CIFAR network, option B": (CifarNet(1, "B"), (3, 16, 16)),
    "U-Net": (UNet(nn.ReLU()), (1, 16, 16)),
    "U-Net, nearest": (UNet(nn.ReLU(inplace=True), "nearest"), (1, 16, 16)),
    "squeeze and excitation": (nn.Sequential(Squeeze(), Squeeze()), (3, 6, 6)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_parameter_is_accounted_for_and_every_neuron_measured(name: str) -> None:
    model, shape = WHOLE[name]
    graph = trace(model, torch.zeros(1, *shape))
    assert not graph.gaps
    outcomes = dict(graph.coverage().select("parameter", "outcome").rows())
    assert set(outcomes) == {name for name, _ in model.named_parameters()}
    assert "left out" not in outcomes.values()
    table = sx.measure(graph, ["strength", "disparity", "laplacian_centrality"], undefined="null")
    assert table.height == graph.neurons
    for column in ("strength", "disparity", "laplacian_centrality"):
        assert table[column].is_finite().all()
    assert graph.layers[0].shape == shape


@pytest.mark.parametrize("name", ["CIFAR network, option B", "U-Net", "squeeze and excitation"])
def test_measures_of_a_traced_graph_equal_those_of_its_matrix(name: str) -> None:
    model, shape = WHOLE[name]
    graph = trace(shaken(copy.deepcopy(model)), torch.zeros(1, *(min(size, 8) for size in shape)))
    directed = torch.zeros(graph.neurons, graph.neurons, dtype=torch.float64)
    for link in graph.links:
        directed[graph.layer_slice(link.target), graph.layer_slice(link.source)] += link.to_dense()
    matrix = directed + directed.mT
    strength = matrix.sum(1)
    torch.testing.assert_close(sx.measures.strength(graph), strength)
    laplacian = strength**2 + (matrix**2).sum(1) + 2 * matrix @ strength
    torch.testing.assert_close(sx.measures.laplacian_centrality(graph), laplacian)
    absolute = matrix.abs()
    torch.testing.assert_close(sx.measures.disparity(graph), (absolute**2).sum(1) / absolute.sum(1) ** 2)


@pytest.mark.slow
def test_a_large_residual_network_is_measured_in_seconds() -> None:
    graph = trace(ResNet(50), torch.zeros(1, 3, 224, 224))
    start = time.perf_counter()
    for measure in (sx.measures.strength, sx.measures.disparity, sx.measures.laplacian_centrality):
        assert measure(graph).shape == (graph.neurons,)
    assert time.perf_counter() - start < 10
