"""Downloads end with the published bytes or with an error that says what to do, whatever the server does."""

import hashlib
import socket
import threading

import numpy as np
import pytest

from synaplex.datasets import download, load
from synaplex.datasets.cifar10 import ARCHIVE
from synaplex.datasets.download import RemoteFile, fetch
from synaplex.datasets.sources import locate
from synaplex.errors import UnreadableFileError, UnwritableFileError
from tests.datasets.server import Server

CONTENT = np.random.default_rng(0).bytes(300_000)
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(download, "STALL", 0.3)
    monkeypatch.setattr(download, "PAUSE", 0.01)


def remote(server, **change):
    return RemoteFile(**{"name": "file.bin", "url": server.url, "digest": DIGEST, "size": len(CONTENT), **change})


def left(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("size", [len(CONTENT), None], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        ([], [None]),
        (["cut"], [None, "bytes=150000-"]),
        (["cut", "cut", "stall"], [None, "bytes=150000-", "bytes=225000-", "bytes=262500-"]),
        (["500", "503"], [None, None, None]),
        (["cut", "500"], [None, "bytes=150000-", "bytes=150000-"]),
        (["corrupt"], [None, None]),
        (["cut", "corrupt"], [None, "bytes=150000-", None]),
    ],
)
def test_faults_are_mended(tmp_path, size, faults, ranges):
    with Server(CONTENT, list(faults)) as server:
        path = fetch(remote(server, size=size), tmp_path)
        assert path.read_bytes() == CONTENT
        assert server.asked == ranges
        assert left(tmp_path) == ["file.bin"]
        fetch(remote(server), tmp_path)
        assert len(server.asked) == len(ranges)


@pytest.mark.parametrize("etag", ['"v1"', None, 'W/"weak"'])
@pytest.mark.parametrize("ranges", [True, False])
def test_servers_of_all_kinds_resume_or_start_over(tmp_path, etag, ranges):
    with Server(CONTENT, ["cut", "no length"], ranges=ranges, etag=etag) as server:
        assert fetch(remote(server), tmp_path).read_bytes() == CONTENT


def test_a_file_that_has_changed_is_not_stitched_together(tmp_path):
    another = np.random.default_rng(1).bytes(300_000)
    with Server(another, ["cut", "404"], etag='"v0"') as old, pytest.raises(UnreadableFileError, match="404"):
        fetch(remote(old), tmp_path)
    assert left(tmp_path) == ["file.bin.partial", "file.bin.partial.tag"]
    with Server(CONTENT) as new:
        assert fetch(remote(new), tmp_path).read_bytes() == CONTENT
        assert new.asked == ["bytes=150000-"]  # and was answered with the whole


def test_a_later_call_goes_on_where_the_first_gave_up(tmp_path):
    with Server(CONTENT, ["cut", "404"]) as server:
        with pytest.raises(UnreadableFileError, match=r"404.*put the file at .*file\.bin"):
            fetch(remote(server), tmp_path)
        seen = []
        assert fetch(remote(server), tmp_path, seen.append).read_bytes() == CONTENT
        assert server.asked[-1] == "bytes=150000-"
        assert seen == sorted(seen)
        assert seen[-1] == len(CONTENT)


@pytest.mark.parametrize(
    ("faults", "message", "requests"),
    [
        (["404"], "404", 1),
        (["403"], "403", 1),
        (["500"] * 10, "500", download.ATTEMPTS),
        (["corrupt"] * 10, "bytes came, whose sha256 is", 2),
    ],
)
def test_what_cannot_be_mended_is_said(tmp_path, faults, message, requests):
    with Server(CONTENT, list(faults)) as server:
        with pytest.raises(UnreadableFileError, match=message):
            fetch(remote(server), tmp_path)
        assert len(server.asked) == requests
    assert "file.bin" not in left(tmp_path)


def test_a_server_that_stalls_for_ever_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.bin"
        with pytest.raises(UnreadableFileError, match="timed out"):
            fetch(RemoteFile("file.bin", url, DIGEST, len(CONTENT)), tmp_path)


def test_a_server_that_is_not_there_is_named(tmp_path):
    with Server(CONTENT) as server:
        gone = remote(server)
    with pytest.raises(UnreadableFileError, match=r"127\.0\.0\.1.*refused"):
        fetch(gone, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with Server(CONTENT) as server, pytest.raises(UnwritableFileError, match=r"cannot write .*file/cache"):
        fetch(remote(server), tmp_path / "file" / "cache")


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_digests_are_compared_where_they_may_not_serve_security(tmp_path, monkeypatch, algorithm):
    """As on machines in FIPS mode, whose OpenSSL refuses MD5."""
    digest = hashlib.new(algorithm, CONTENT).hexdigest()
    new = hashlib.new

    def strict(name, data=b"", *, usedforsecurity=True):
        if name == "md5" and usedforsecurity:
            raise ValueError("[digital envelope routines] unsupported")
        return new(name, data, usedforsecurity=usedforsecurity)

    monkeypatch.setattr(hashlib, "new", strict)
    with Server(CONTENT) as server:
        assert fetch(remote(server, digest=f"{algorithm}:{digest}"), tmp_path).read_bytes() == CONTENT


def test_a_folder_without_locks_is_named(tmp_path, monkeypatch):
    """As filelock says it of a file system that knows none."""

    def acquire(self, *args, **kwargs):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(download.FileLock, "acquire", acquire)
    with Server(CONTENT) as server, pytest.raises(UnwritableFileError, match=r"cannot write .*file\.bin: .*flock"):
        fetch(remote(server), tmp_path)


def test_two_that_want_the_same_file_fetch_it_once(tmp_path):
    with Server(CONTENT, ["stall"]) as server:
        threads = [threading.Thread(target=fetch, args=(remote(server), tmp_path)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.asked) == 2  # the one that stalled, and its second half
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


class TestLocate:
    """Named folder first, then the cache, then the web."""

    def test_the_named_folder_comes_first(self, tmp_path):
        (tmp_path / "things").mkdir()
        (tmp_path / "things" / "a.parquet").touch()
        assert locate("things", (("*.parquet",), ("file.bin",)), (), tmp_path) == tmp_path / "things"

    def test_an_incomplete_folder_is_not_mixed_with_the_cache(self, tmp_path):
        (tmp_path / "things").mkdir()
        with pytest.raises(UnreadableFileError, match=r"there is no .*things/file\.bin: put it there"):
            locate("things", (("file.bin",),), (), tmp_path)

    def test_what_is_nowhere_is_downloaded_once(self, tmp_path, monkeypatch):
        monkeypatch.delenv("SYNAPLEX_OFFLINE")
        monkeypatch.setenv("SYNAPLEX_CACHE", str(tmp_path / "cache"))
        with Server(CONTENT) as server:
            for _ in range(2):
                folder = locate("things", (("file.bin",),), (remote(server),), tmp_path)
            assert len(server.asked) == 1
        assert (folder / "file.bin").read_bytes() == CONTENT
        assert folder == tmp_path / "cache" / "things"

    def test_a_folder_that_is_misspelt_is_not_passed_over(self, tmp_path):
        with pytest.raises(UnreadableFileError, match="nowhere does not exist"):
            load("mnist", tmp_path / "nowhere")

    def test_offline_says_which_files_to_put_where(self):
        with pytest.raises(
            UnreadableFileError, match=r"SYNAPLEX_OFFLINE.*train-\*\.parquet.* or cifar-10-binary"
        ) as caught:
            load("cifar10")
        assert "DATA_DIR/cifar10/" in str(caught.value)

    def test_a_failed_download_says_it_too(self, monkeypatch):
        monkeypatch.delenv("SYNAPLEX_OFFLINE")
        with Server(CONTENT, ["404"]) as server:
            monkeypatch.setattr("synaplex.datasets.cifar10.ARCHIVE", remote(server, name=ARCHIVE.name))
            with pytest.raises(UnreadableFileError, match=r"404.*Put .*into DATA_DIR/cifar10/"):
                load("cifar10")
