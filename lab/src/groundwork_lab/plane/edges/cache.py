"""The files of nginx's cache, and their transfer from one folder to another.

An object is a file in a folder that is named after the hash of its key. The file begins with the key.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_path
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container
from pathlib import Path

HEAD = 8192  # bytes that are searched for the key; an object with a longer key is not transferred
MARK = b"\nKEY: "


def carry_over(old: Path, new: Path, forgotten: Container[str]) -> int:
    """Link all objects of `old`, except the `forgotten` ones, to `new` if they are missing there. Return their number.

    Hard links are used, so that both folders can be in use and never contain incomplete files.
    """
    new.mkdir(parents=True, exist_ok=True)
    return sum(_carry_folder(below, new / below.name, forgotten) for below in _folders(old))


def _carry_folder(old: Path, new: Path, forgotten: Container[str]) -> int:
    if not new.exists():
        _make_alike(new, old)
    there = {file.name for file in new.iterdir()}
    kept = 0
    for file in old.iterdir():
        path = None if file.name in there else cached_path(file)
        if path is None or path in forgotten:
            continue
        with contextlib.suppress(FileNotFoundError, FileExistsError):  # nginx has removed or added the file
            os.link(file, new / file.name)
            kept += 1
    return kept


def _make_alike(new: Path, old: Path) -> None:
    """Create a folder with the owner and mode of another one: nginx' workers write to it."""
    stat = old.stat()
    new.mkdir()
    new.chmod(stat.st_mode)
    os.chown(new, stat.st_uid, stat.st_gid)


def cached_path(file: Path) -> str | None:
    """Return the path (with the query string in the cache key) of the object in a file, or None if it is unknown."""
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD)
    except FileNotFoundError:
        return None
    _, found, rest = head.partition(MARK)
    key, ended, _ = rest.partition(b"\n")
    return key.split(b" ", 1)[0].decode("utf-8", "replace") if found and ended else None


def _folders(folder: Path) -> list[Path]:
    return [below for below in folder.iterdir() if below.is_dir()] if folder.exists() else []
