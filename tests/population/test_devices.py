"""A device that is not there is named before any work is done for it."""

import pytest
import torch
from typer.testing import CliRunner

import synaplex as sx
from synaplex.cli import app
from synaplex.errors import SpecificationError
from synaplex.population import RayEngine, train_modules
from synaplex.population.devices import check_device
from tests.population.conftest import RECIPE


@pytest.fixture
def no_data(monkeypatch):
    """No data are read."""
    for module in ("synaplex.population.training", "synaplex.population.modules.training"):
        monkeypatch.setattr(f"{module}.load", lambda *_: pytest.fail("data were read"))


@pytest.mark.parametrize(
    ("device", "message"),
    [("foo", "device='foo' names no device"), ("meta", "device='meta' cannot be trained on here")],
)
def test_populations_refuse_it(device, message, no_data, tmp_path):
    with pytest.raises(SpecificationError, match=message):
        sx.train_population(**RECIPE, seeds=[1], device=device, store=tmp_path / "store")
    network = sx.networks.cnn((1, 8, 8), 3, dense=(10,))
    with pytest.raises(SpecificationError, match=message):
        train_modules(network, seeds=[1], steps=1, device=device, store=tmp_path / "store")
    assert not list(tmp_path.iterdir())


def test_a_device_that_this_machine_lacks():
    if not torch.cuda.is_available():
        with pytest.raises(SpecificationError, match=r"'cuda:7' cannot be trained on here: \S"):
            check_device("cuda:7")
    check_device("cuda:7", RayEngine())  # other machines may have it
    with pytest.raises(SpecificationError, match="'foo' names no device"):
        check_device("foo", RayEngine())
    check_device("cpu")
    check_device(torch.device("cpu"))


def test_the_study_says_it_in_one_line(tmp_path):
    words = ["study", "scabini", "--out", str(tmp_path / "out"), "--device", "foo", "--networks", "20", "--epochs", "1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "Error: device='foo' names no device" in result.stderr.strip().splitlines()[-1]
    assert not list(tmp_path.rglob("*.json"))
