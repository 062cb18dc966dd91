"""Logs and run directories on fsspec URLs (s3, gs, ssh, https, ...): read through a local copy.

Only what changed is fetched again; of a file that grew, as a live run's evidence does, only the new end.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from pathlib import Path
from typing import Any

import msgspec

from .cache import cache_folder
from .source import LogError

_URL = re.compile(r"^[a-z][a-z0-9+.\-]+://", re.IGNORECASE)
_LOCAL = "file://"
_MOST_FILES = 5000
_OVERLAP = 4096
_BLOCK = 1 << 22
_NOT_LOGS = re.compile(
    r"\.(?:pth?|ckpt|bin|safetensors|onnx|npz?|h5|hdf5|pkl|pickle|parquet|arrow|tar|zip|png|jpe?g|gif|mp4|wav|so|whl)$"
)
_RUN_FILES = re.compile(r"^(?:run\.json|alarms\.jsonl|diagnosis\.json|evidence/[^/]+\.jsonl)$")


def is_url(text: str) -> bool:
    """Tell a URL from a path."""
    return bool(_URL.match(text))


def masked(url: str) -> str:
    """Return a URL without user names and passwords."""
    return re.sub(r"://[^/@]*@", "://***@", url).split("?", 1)[0]


def local_copy(url: str) -> Path:
    """Return the path of a local copy of a file or folder, fetched or brought up to date.

    Raises:
        LogError: there is nothing at the URL, it cannot be reached, or a package for it is missing.
    """
    if url.startswith(_LOCAL):
        return Path(url.removeprefix(_LOCAL))
    try:
        import fsspec
    except ModuleNotFoundError:
        raise LogError(
            f"{masked(url)}: URLs need one more package: pip install 'spikelore[remote]'"
        ) from None
    try:
        files, root = fsspec.core.url_to_fs(url)
        return _fetched(files, root.rstrip("/"), url)
    except (LogError, KeyboardInterrupt):
        raise
    except FileNotFoundError:
        raise LogError(f"{masked(url)}: nothing there") from None
    except Exception as error:  # noqa: BLE001 - every file system of fsspec raises types of its own
        text = " ".join(str(error).split())[:300]
        raise LogError(f"{masked(url)}: cannot be read ({type(error).__name__}: {text})") from None


def _fetched(files: Any, root: str, url: str) -> Path:
    name = posixpath.basename(root) or "root"
    home = cache_folder("remote") / hashlib.sha256(masked(url).encode()).hexdigest()[:16]
    if not files.isdir(root):
        _fetch(files, root, files.info(root), home / name)
        return home / name
    details = files.find(root, detail=True)
    inside = {
        path[len(root) + 1 :] if path.startswith(root) else path: info for path, info in details.items()
    }
    wanted = _RUN_FILES.match if "run.json" in inside else lambda path: not _NOT_LOGS.search(path.lower())
    chosen = {path: info for path, info in inside.items() if wanted(path)}
    if not chosen:
        raise LogError(f"{masked(url)}: a folder without logs")
    if len(chosen) > _MOST_FILES:
        raise LogError(f"{masked(url)}: {len(chosen)} files; give the folder of one run")
    for path, info in chosen.items():
        target = (home / name / path).resolve()
        if target.is_relative_to((home / name).resolve()):
            _fetch(files, info["name"], info, target)
    return home / name


def _fetch(files: Any, path: str, info: dict[str, Any], target: Path) -> None:
    """Bring one file up to date."""
    mark = target.with_name(f".{target.name}.state")
    token = _token(info)
    if target.exists() and mark.exists() and mark.read_text() == token:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _fetch_end(files, path, info, target):
        part = target.with_name(f".{target.name}.part")
        with files.open(path, "rb") as source, part.open("wb") as copy:
            while block := source.read(_BLOCK):
                copy.write(block)
        part.replace(target)
    mark.write_text(token)


def _fetch_end(files: Any, path: str, info: dict[str, Any], target: Path) -> bool:
    """Append what a file gained; False where it is not the old file with more behind it."""
    size = info.get("size")
    have = target.stat().st_size if target.exists() else 0
    if not isinstance(size, int) or not 0 < have < size:
        return False
    start = max(0, have - _OVERLAP)
    with target.open("rb") as copy:
        copy.seek(start)
        known = copy.read()
    gained = files.cat_file(path, start=start, end=size)
    if not gained.startswith(known):
        return False
    with target.open("ab") as copy:
        copy.write(gained[len(known) :])
    return True


def _token(info: dict[str, Any]) -> str:
    """Return what changes with the file's content, as far as the file system tells."""
    names = ("size", "etag", "ETag", "md5Hash", "mtime", "LastModified", "updated", "modified", "created")
    return msgspec.json.encode(
        {name: str(info[name]) for name in names if info.get(name) is not None}
    ).decode()
