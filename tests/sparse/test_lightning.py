"""The callback does inside Lightning what the evolution does in a loop of one's own."""

import warnings
from types import SimpleNamespace

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


@pytest.mark.filterwarnings("ignore")
def test_the_wrapper_of_distributed_training_is_what_evolves(tmp_path):
    """Else connections could be exchanged for others of another number behind its back."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        module = Module()
        wrapped = nn.parallel.DistributedDataParallel(module)
        trainer = SimpleNamespace(optimizers=[module.configure_optimizers()], strategy=SimpleNamespace(model=wrapped))
        callback = EvolutionCallback(drop="set:0.2", schedule="epoch", example_input=torch.zeros(1, 20))
        callback.on_train_start(trainer, module)
        assert callback.evolution.model is wrapped
        assert callback.evolution.layers.keys() == {"body.0", "body.2"}
        trainer.strategy.model = nn.Sequential(module)  # some other wrapper, whose names are not the module's
        callback.on_train_start(trainer, module)
        assert callback.evolution.model is module
    finally:
        torch.distributed.destroy_process_group()
