"""The files of nginx's cache: what is in them, and what is taken over from one folder to the next.

An object is a file in a folder that is named after its key's hash; its key is in its head.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_path
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container
from pathlib import Path

HEAD = 8192  # bytes in which the key is looked for; a longer one is an object that is not taken over
MARK = b"\nKEY: "


def carry_over(old: Path, new: Path, forgotten: Container[str]) -> int:
    """Give the folder `new` all objects of `old` that it lacks, but not the `forgotten` ones; how many it got.

    By hard links: both folders can be in use meanwhile, and neither sees a file that is half there.
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
        with contextlib.suppress(FileNotFoundError, FileExistsError):  # nginx was faster, in either folder
            os.link(file, new / file.name)
            kept += 1
    return kept


def _make_alike(new: Path, old: Path) -> None:
    """Make a folder with another one's owner and mode: nginx' workers put files into it."""
    stat = old.stat()
    new.mkdir()
    new.chmod(stat.st_mode)
    os.chown(new, stat.st_uid, stat.st_gid)


def cached_path(file: Path) -> str | None:
    """The path (with the part of the query string that it is cached by) of the object in a file; None when unknown."""
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
