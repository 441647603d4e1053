import pytest


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path_factory):
    """No test downloads by accident, or sees what a user has downloaded."""
    monkeypatch.setenv("SYNAPLEX_OFFLINE", "1")
    monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("SYNAPLEX_DATA", raising=False)
