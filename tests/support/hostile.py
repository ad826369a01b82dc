"""Archives as an attacker, a bad disk or another program would make them."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Made = Callable[[tarfile.TarFile], None]


def add(archive: tarfile.TarFile, name: str, content: bytes = b"x", **changes: Any) -> None:
    """A member as it is declared, whether or not that makes sense."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(content) if info.isreg() else None)


def special(name: str, kind: bytes, **changes: Any) -> Made:
    return lambda archive: add(archive, name, b"", type=kind, **changes)


def link(archive: tarfile.TarFile, name: str, target: str) -> None:
    add(archive, name, b"", type=tarfile.SYMTYPE, linkname=target)


def tar(path: Path, *makers: Made, mode: str = "w:gz", **options: Any) -> Path:
    """A tar archive with one good file, and what is made besides."""
    with tarfile.open(path, mode, **options) as archive:  # type: ignore[call-overload]
        add(archive, "index.php", b"<?php")
        for make in makers:
            make(archive)
    return path


def zipped(path: Path, name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> Path:
    """A zip archive with one good file and another one."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.php", "<?php")
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, content)
    return path


def patched(path: Path, before: bytes, after: bytes) -> Path:
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    return path
