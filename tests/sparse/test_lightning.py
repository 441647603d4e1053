"""The callback does inside Lightning what the evolution does in a loop of one's own."""

import warnings

import pytest
import torch
from torch import nn

from synaplex.sparse.lightning import EvolutionCallback
from tests.sparse.networks import batch, small

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    lightning = pytest.importorskip("lightning.pytorch")


class Module(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.body = small()

    def training_step(self, given, index):
        x, y = given
        return nn.functional.cross_entropy(self.body(x), y)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


def fit(folder, epochs, callback, checkpoint=None):
    module = Module()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*batch(0, 40)), batch_size=10)
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=[callback],
        default_root_dir=folder,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(module, data, ckpt_path=checkpoint)
    return trainer, module


@pytest.mark.filterwarnings("ignore")
def test_connections_evolve_and_a_checkpoint_resumes(tmp_path):
    rules = {"drop": "set:0.2", "schedule": "epoch", "example_input": torch.zeros(1, 20)}
    whole = EvolutionCallback(**rules)
    _, module = fit(tmp_path, 4, whole)
    log = whole.evolution.log
    assert log["epoch"].to_list() == [1, 2, 3, 4]
    assert log["step"].to_list() == [4, 8, 12, 16]
    assert (log["dropped"] > 0).all()
    trainer, _ = fit(tmp_path, 2, EvolutionCallback(**rules))
    trainer.save_checkpoint(tmp_path / "two.ckpt")
    resumed = EvolutionCallback(**rules)
    _, again = fit(tmp_path, 4, resumed, tmp_path / "two.ckpt")
    assert resumed.evolution.log.equals(log)
    for a, b in zip(module.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
