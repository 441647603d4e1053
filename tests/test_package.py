"""The package as a whole: light to import, every public name there, errors that say what to install."""

import copy
import importlib.metadata
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import synaplex as sx
from synaplex import errors
from synaplex.errors import MissingExtraError, SynaplexError, UnknownNameError, require

ROOT = Path(__file__).resolve().parents[1]
ERRORS = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, SynaplexError)]
HEAVY = {"torch", "numpy", "scipy", "sklearn", "polars", "numba", "matplotlib", "plotly", "pydantic", "typer"}


def python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_is_light() -> None:
    loaded = python("import sys, synaplex; dir(synaplex); print(*{m.partition('.')[0] for m in sys.modules})")
    assert "synaplex" in loaded.split()
    assert HEAVY.isdisjoint(loaded.split())


def test_version_is_the_installed_one() -> None:
    assert sx.__version__ == importlib.metadata.version("synaplex")


@pytest.mark.parametrize("name", sx.__all__)
def test_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(sx, name)
    assert inspect.getdoc(value)
    assert name in dir(sx)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'grpah'"):
        sx.grpah  # noqa: B018


@pytest.mark.parametrize(
    "imports",
    [
        "import synaplex as sx",
        "import synaplex.graph, synaplex.report, synaplex as sx",
        "from synaplex.graph import NeuralGraph; from synaplex.report import report; import synaplex as sx",
        "import synaplex as sx; sx.measure; sx.report; sx.graph",
    ],
)
def test_graph_and_report_are_functions_and_modules_whatever_was_imported_first(imports: str) -> None:
    code = (
        f"{imports}\n"
        "graph = sx.graph([[[1.0, 2.0]], [[3.0]]])\n"
        "assert isinstance(graph, sx.NeuralGraph) and sx.graph.NeuralGraph is sx.NeuralGraph\n"
        "print(graph.neurons, callable(sx.report))"
    )
    assert python(code) == "4 True"


def test_signature_of_a_callable_module_is_that_of_its_function() -> None:
    assert inspect.signature(sx.graph) == inspect.signature(sx.graph.graph)


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_survive_the_way_between_processes(kind: type[Exception]) -> None:
    error = UnknownNameError("measure", "strenght", ["strength"]) if kind is UnknownNameError else kind("it says what")
    for one in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(one) is kind
        assert str(one) == str(error)


def test_missing_extra_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"'no_such_package'.*pip install 'synaplex\[keras\]'"):
        require("no_such_package.part", "keras")


def test_keras_file_without_h5py_names_the_extra(tmp_path: Path) -> None:
    file = tmp_path / "model.h5"
    file.write_bytes(b"\x89HDF\r\n\x1a\n")
    code = (
        "import sys; sys.modules['h5py'] = None\n"
        "import synaplex as sx\n"
        "try: sx.load(sys.argv[1])\n"
        "except sx.errors.MissingExtraError as error: print(error)"
    )
    assert "pip install 'synaplex[keras]'" in python(code, str(file))


def test_unknown_name_suggests_the_nearest() -> None:
    error = UnknownNameError("measure", "strenght", ["strength", "disparity"])
    assert str(error) == "unknown measure 'strenght'; did you mean 'strength'? known: disparity, strength"
    assert isinstance(error, SynaplexError)


def test_a_name_like_none_gets_the_names_instead_of_a_guess() -> None:
    datasets = ["cifar10", "covtype", "digits", "fashion-mnist", "mnist"]
    assert str(UnknownNameError("dataset", "nope", datasets)).endswith(f"'nope'; known: {', '.join(datasets)}")
    assert "did you mean 'mnist'?" in str(UnknownNameError("dataset", "MNIST", datasets))
    many = [f"blocks.{i}.attention.output.weight" for i in range(200)]
    assert "and 140 more" in str(UnknownNameError("tensor", "x", many))
    assert "known:" not in str(UnknownNameError("tensor", "blocks.7.attention.output.weigth", many))


def test_readme_example_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_public_names_have_types_under_mypy_strict(tmp_path: Path) -> None:
    snippet = tmp_path / "use.py"
    snippet.write_text(
        "import synaplex as sx\n"
        "from synaplex.graph import NeuralGraph\n"
        "graph: NeuralGraph = sx.graph([[[1.0, 2.0]], [[3.0]]])\n"
        "sx.report(graph, 'report.html')\n"
        "population: sx.Population\n"
        "sx.graph.NeuralGraph\n"
        "sx.mesure(graph)\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file",
        str(ROOT / "pyproject.toml"),
        str(snippet),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    errors = [line for line in done.stdout.splitlines() if "error:" in line]
    assert len(errors) == 1, done.stdout + done.stderr
    assert "use.py:7" in errors[0]
    assert '"mesure"' in errors[0]


def test_every_measure_is_on_its_documentation_page() -> None:
    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    missing = [name for name in sx.measures.registry.measures() if f"`{name}`" not in page]
    assert not missing
