"""A small population that several tests read, and what it takes to train it again."""

import pytest

import synaplex as sx

RECIPE = {
    "network": sx.networks.mlp(64, 12, 8, 10),
    "dataset": "digits",
    "epochs": 3,
    "train_size": 300,
    "test_size": 100,
    "measures": "scabini",
    "progress": False,
}
SEEDS = range(7)


def files(folder):
    """The contents of all files of a store by name, the record and the lock left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.glob("chunks/**/*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def population(tmp_path_factory):
    """Seven networks in chunks of three; not to be changed."""
    folder = tmp_path_factory.mktemp("population") / "store"
    return sx.train_population(**RECIPE, seeds=SEEDS, store=folder, chunk_size=3)
