"""Fetching a file over HTTP: whole and checked, or not at all.

Written on the standard library: of the packages that keep a cache of downloads, pooch does not resume, and
huggingface_hub knows one host.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import random
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from synaplex.errors import SynaplexError, UnreadableFileError, UnwritableFileError

logger = logging.getLogger("synaplex")

STALL = 30.0
"""Seconds without a byte after which a connection is given up."""
ATTEMPTS = 6
"""How often a file is asked for in a row without getting any further."""
PAUSE = 1.0
"""Seconds before the second attempt; twice as long before each next one, give or take a half."""
PIECE = 2**18
_PASSING = {408, 425, 429, 500, 502, 503, 504}
"""HTTP statuses that may be another in a while."""


class _Retry(Exception):
    """An attempt failed in a way that the next may not."""


class _Wrong(_Retry):
    """All bytes came, but they are not those published."""


class _Unknown(_Retry):
    """The name of the server cannot be resolved: most likely this machine is offline."""


@dataclass(frozen=True)
class RemoteFile:
    """A file somewhere on the web.

    Attributes
    ----------
    name
        Of the file here.
    url
        Where it lies.
    digest
        What its bytes must hash to, such as ``"sha256:0f3a..."`` or ``"md5:..."``: as published.
    size
        In bytes, where that is published too.
    """

    name: str
    url: str
    digest: str
    size: int | None = None


def fetch(remote: RemoteFile, folder: Path, report: Callable[[int], None] = lambda size: None) -> Path:
    """The file in a folder, downloaded unless it is there.

    What arrives is kept under another name until it is whole and its digest is right; the next call goes on from
    there, if the server can and the file is still the same.

    Parameters
    ----------
    remote
        What to fetch.
    folder
        Where to; made if needed. One process at a time writes a file, others wait.
    report
        Called with the number of bytes that are there, as they arrive.

    Raises
    ------
    UnreadableFileError
        If the server cannot be reached or does not have the file, or the bytes are not those published; says where
        to put the file by hand.
    UnwritableFileError
        If it cannot be written, or the folder cannot be locked.
    """
    final = folder / remote.name
    if final.is_file():
        return final
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / f".{remote.name}.lock"):
            if not final.is_file():
                partial = folder / f"{remote.name}.partial"
                _fetch(remote, partial, report)
                os.replace(partial, final)
    except SynaplexError as error:
        raise UnreadableFileError(f"{error}. Go on by the same call, or put the file at {final} yourself") from error
    except (OSError, NotImplementedError) as error:  # the latter where the file system knows no locks
        raise UnwritableFileError(f"cannot write {final}: {error}") from error
    return final


def _fetch(remote: RemoteFile, partial: Path, report: Callable[[int], None]) -> None:
    """Attempts until the file is whole; those that bring it further do not count."""
    allowed = {_Retry: ATTEMPTS, _Wrong: 2, _Unknown: 2}
    failures = dict.fromkeys(allowed, 0)
    while True:
        before = _size(partial)
        try:
            _attempt(remote, partial, report)
            _check(remote, partial)
            return
        except _Retry as error:
            kind = type(error)
            failures[kind] = 1 if _size(partial) > before else failures[kind] + 1
            if failures[kind] >= allowed[kind]:
                raise UnreadableFileError(f"{remote.url} cannot be downloaded: {error}") from error
            logger.info("%s: %s; trying again", remote.url, error)
        time.sleep(PAUSE * 2 ** (max(failures.values()) - 1) * random.uniform(0.5, 1.5))


def _attempt(remote: RemoteFile, partial: Path, report: Callable[[int], None]) -> None:
    """Ask for what is missing and append it."""
    there = _size(partial)
    if remote.size is not None and there >= remote.size:  # all of it: whether it is right is seen by its digest
        return
    request = urllib.request.Request(remote.url, headers={"User-Agent": "synaplex", "Accept-Encoding": "identity"})
    tag = _tag(partial)
    if there:
        request.add_header("Range", f"bytes={there}-")
        if tag.is_file():
            request.add_header("If-Range", tag.read_text())
    try:
        with urllib.request.urlopen(request, timeout=STALL) as response:
            resumed = (response.headers.get("Content-Range") or "").startswith(f"bytes {there}-")
            start = there if response.status == 206 and resumed else 0
            length = response.headers.get("Content-Length")
            total = remote.size if length is None else start + int(length)
            _remember(tag, response)
            with partial.open("ab" if start else "wb") as file:
                while piece := response.read1(PIECE):
                    file.write(piece)
                    report(file.tell())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what is there is not the beginning of what the server has
            partial.unlink(missing_ok=True)
        elif error.code not in _PASSING:
            raise UnreadableFileError(f"{remote.url} cannot be downloaded: {error}") from error
        raise _Retry(str(error)) from error
    except urllib.error.URLError as error:
        kind = _Unknown if isinstance(error.reason, socket.gaierror) else _Retry
        raise kind(str(error.reason)) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        raise _Retry(str(error) or type(error).__name__) from error
    if total is not None and _size(partial) < total:
        raise _Retry(f"the connection ended after {_size(partial):,} of {total:,} bytes")


def _tag(partial: Path) -> Path:
    """What identifies the version of the file that a beginning belongs to."""
    return partial.with_name(partial.name + ".tag")


def _remember(tag: Path, response: http.client.HTTPResponse) -> None:
    etag = response.headers.get("ETag") or ""
    mark = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    if mark:
        tag.write_text(mark)
    else:
        tag.unlink(missing_ok=True)


def _check(remote: RemoteFile, partial: Path) -> None:
    """Compare size and digest; what is wrong is thrown away."""
    algorithm, _, expected = remote.digest.partition(":")
    with partial.open("rb") as file:
        # Not for security: machines in FIPS mode refuse MD5 otherwise.
        found = hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    _tag(partial).unlink(missing_ok=True)
    if found != expected:
        size = _size(partial)
        partial.unlink()
        raise _Wrong(f"{size:,} bytes came, whose {algorithm} is {found}; {expected} is published")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
