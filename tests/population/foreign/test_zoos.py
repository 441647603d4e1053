"""The layouts of Unterthiner et al.'s and of Schürholt et al.'s zoos, from small files of each."""

import gzip
import json

import numpy as np
import polars as pl
import pytest
import torch

from synaplex.errors import InvalidGraphError, SpecificationError, UnreadableFileError
from synaplex.population import CnnZoo, ModelZoo, open_population

LAYOUT = [
    ("sequential/conv2d/bias:0", (4,)),
    ("sequential/conv2d/kernel:0", (3, 3, 1, 4)),
    ("sequential/dense/bias:0", (2,)),
    ("sequential/dense/kernel:0", (4, 2)),
]


class TestCnnZoo:
    @pytest.fixture
    def folder(self, tmp_path):
        """Two runs, the second at two steps, not in their order."""
        ends = np.cumsum([np.prod(shape) for _, shape in LAYOUT])
        starts = [0, *ends[:-1]]
        rows = [(name, s, e, e - s, str(shape)) for (name, shape), s, e in zip(LAYOUT, starts, ends, strict=True)]
        layout = pl.DataFrame(rows, schema=["varname", "start_idx", "end_idx", "size", "shape"], orient="row")
        layout.write_csv(tmp_path / "layout.csv")
        metrics = "modeldir,step,test_accuracy,config.activation\nb,86,0.9,relu\na,86,0.5,tanh\na,0,0.1,tanh\n"
        (tmp_path / "metrics.csv.gz").write_bytes(gzip.compress(metrics.encode()))
        np.save(tmp_path / "weights.npy", np.arange(3 * ends[-1], dtype=np.float32).reshape(3, -1))
        return tmp_path

    def test_rows_are_networks_and_steps(self, folder):
        zoo = open_population(folder)
        assert isinstance(zoo, CnnZoo)
        assert (zoo.seeds, zoo.epochs(0), zoo.epochs(1)) == ((0, 1), (86,), (0, 86))
        assert zoo.networks().select("seed", "epoch", "test_accuracy").rows() == [
            (0, 86, 0.9),
            (1, 86, 0.5),
            (1, 0, 0.1),
        ]

    def test_tensors_are_cut_and_turned(self, folder):
        matrix = np.load(folder / "weights.npy")
        tensors = CnnZoo(folder).tensors(1)
        assert {name: tuple(value.shape) for name, value in tensors.items()} == {
            "sequential/conv2d/bias:0": (4,),
            "sequential/conv2d/kernel:0": (4, 1, 3, 3),
            "sequential/dense/bias:0": (2,),
            "sequential/dense/kernel:0": (2, 4),
        }
        kernel = matrix[1, 4:40].reshape(3, 3, 1, 4)
        assert tensors["sequential/conv2d/kernel:0"][2, 0, 1, 0] == kernel[1, 0, 0, 2]
        assert (
            tensors["sequential/dense/kernel:0"].flatten().tolist() == matrix[1, 42:].reshape(4, 2).T.ravel().tolist()
        )
        assert CnnZoo(folder).tensors(1, epoch=0)["sequential/conv2d/bias:0"].tolist() == matrix[2, :4].tolist()

    def test_weights_are_not_read_before_they_are_used(self, folder):
        zoo = CnnZoo(folder)
        assert isinstance(zoo._matrix, np.memmap)

    def test_convolutions_are_no_batch_of_dense_layers(self, folder):
        with pytest.raises(InvalidGraphError, match="conv2d/kernel:0 is no dense layer"):
            CnnZoo(folder).weights()

    def test_pickled_weights_are_refused(self, folder):
        np.save(folder / "weights.npy", np.array([{}, 1, 2], dtype=object), allow_pickle=True)
        with pytest.raises(UnreadableFileError, match="damaged"):
            CnnZoo(folder)

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("metrics.csv.gz", gzip.compress(b"step\n0\n", mtime=0), r"weights of shape \(3, 50\) for 1 rows"),
            ("metrics.csv.gz", b"no gzip \xff\xfe", "is no Small CNN Zoo|rows of metrics"),
            ("layout.csv", b'varname,start_idx,end_idx,shape\nx,0,4,"(5,)"\n', "x of shape .* does not fit"),
            ("layout.csv", b'varname,start_idx,end_idx,shape\nx,0,4,"exit()"\n', "damaged"),
            ("weights.npy", b"", "damaged"),
        ],
    )
    def test_damaged_files_are_named(self, folder, name, content, message):
        (folder / name).write_bytes(content)
        with pytest.raises(UnreadableFileError, match=message):
            CnnZoo(folder)


class TestModelZoo:
    @pytest.fixture
    def folder(self, tmp_path):
        """Two networks; the first with params.json and two checkpoints, the second with config.json and none."""
        generator = torch.Generator().manual_seed(0)
        for number, (name, configuration) in enumerate((("NN_a", "params.json"), ("NN_b", "config.json"))):
            trial = tmp_path / name
            trial.mkdir()
            (trial / configuration).write_text(json.dumps({"model::nlin": "tanh", "seed": number}))
            lines = [{"training_iteration": i, "test_acc": 0.1 * i, "config": {"x": 1}} for i in range(3)]
            (trial / "result.json").write_text("\n".join(map(json.dumps, lines)) + "\n")
        for epoch in (0, 2):
            state = {
                "module_list.0.weight": torch.randn(5, 7, generator=generator),
                "module_list.0.bias": torch.zeros(5),
                "module_list.3.weight": torch.randn(2, 5, generator=generator),
                "module_list.3.bias": torch.zeros(2),
            }
            place = tmp_path / "NN_a" / f"checkpoint_{epoch:06d}"
            place.mkdir()
            torch.save(state, place / "checkpoints")
        (tmp_path / "dataset.pt").write_bytes(b"something else")
        return tmp_path

    def test_a_line_is_an_epoch(self, folder):
        zoo = open_population(folder)
        assert isinstance(zoo, ModelZoo)
        table = zoo.networks()
        assert table.select("seed", "epoch", "name").rows()[2:4] == [(0, 2, "NN_a"), (1, 0, "NN_b")]
        assert table["test_acc"].to_list()[:3] == pytest.approx([0, 0.1, 0.2])
        assert "config" not in table.columns
        assert zoo.configuration(1) == {"model::nlin": "tanh", "seed": 1}

    def test_checkpoints_are_read_by_epoch(self, folder):
        zoo = ModelZoo(folder)
        assert (zoo.epochs(0), zoo.epochs(1)) == ((0, 2), ())
        state = torch.load(folder / "NN_a" / "checkpoint_000002" / "checkpoints", weights_only=True)
        graph = zoo.weights([0])
        assert graph.sizes == (7, 5, 2)
        torch.testing.assert_close(graph.links[0].weight[0].float(), state["module_list.0.weight"])
        assert not zoo.tensors(0, epoch=0)["module_list.0.weight"].equal(state["module_list.0.weight"])
        with pytest.raises(SpecificationError, match=r"no weights of network 1 .* there are: none"):
            zoo.tensors(1)

    def test_code_in_a_checkpoint_is_not_run(self, folder):
        torch.save({"model": torch.nn.Linear(2, 2)}, folder / "NN_a" / "checkpoint_000002" / "checkpoints")
        with pytest.raises(UnreadableFileError, match="checkpoints"):
            ModelZoo(folder).tensors(0)

    @pytest.mark.parametrize("line", ["{", "[1]"])
    def test_a_damaged_line_is_named(self, folder, line):
        (folder / "NN_b" / "result.json").write_text(line)
        with pytest.raises(UnreadableFileError, match=r"NN_b/result\.json is damaged"):
            ModelZoo(folder).networks()

    def test_a_network_without_results_is_no_error(self, folder):
        (folder / "NN_b" / "result.json").unlink()
        assert ModelZoo(folder).networks()["seed"].unique().to_list() == [0]
