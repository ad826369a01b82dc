# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source folder: its files, their names and their digests."""

from __future__ import annotations

import hashlib
import os
import typing as t
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.paths import is_folder
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import is_excluded

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
LONGEST_KEY = 1024  # bytes
VARIANT = ".br"
LARGEST = 5 * 1024**4  # bytes per object; https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MOST_PROBLEMS = 50
CHUNK = 1024 * 1024
HASHERS = 2  # threads; opening files holds Python's global lock, so more threads would slow down the listing
SHARE = 32  # files per task of a thread


class File(t.NamedTuple):
    """A file of the source. `path` is relative to the prefix, `place` is absolute. Reading it sets size and SHA-256."""

    path: str
    place: str
    size: int = 0
    digest: str = ""


@dataclass
class _Walk:
    root: str
    exclude: t.Sequence[str]
    problems: Problems
    files: list[File]
    left_out: list[str]

    def folder(self, place: str, above: str, real: tuple[str, ...]) -> None:
        """Add the files of a folder. `real` are the resolved folders above it, which reveal loops of links."""
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            self._refuse(above or ".", f"the folder cannot be read ({error.strerror})", "make it readable")
            return
        for entry in entries:
            path = above + entry.name
            if is_excluded(path, self.exclude):
                self.left_out.append(path)
            elif entry.is_symlink() and not self._leads_inside(entry, path):
                continue
            else:
                self._entry(entry, path, real)

    def _entry(self, entry: os.DirEntry[str], path: str, real: tuple[str, ...]) -> None:
        """Add a file, or the files of a folder. Only links need another system call to determine their type."""
        try:
            if entry.is_symlink():
                entry.stat()
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError as error:
            self._refuse(path, f"cannot be read ({error.strerror})", "repair or remove it")
            return
        if is_folder:
            resolved = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if resolved in real:
                self._refuse(path, "the link points to a folder that contains it", "remove it")
            else:
                self.folder(entry.path, f"{path}/", (*real, resolved))
        elif not is_file:
            self._refuse(path, "is not a regular file", "remove it, or exclude it")
        elif not os.access(entry.path, os.R_OK):
            self._refuse(path, "cannot be read (Permission denied)", "make it readable")
        else:
            self.files.append(File(path, entry.path))

    def _leads_inside(self, entry: os.DirEntry[str], path: str) -> bool:
        target = os.path.realpath(entry.path)
        if target != self.root and not target.startswith(self.root + os.sep):
            self._refuse(
                path, f"the link points outside of the source, to {target}", "replace it by a copy of its target"
            )
            return False
        return True

    def _refuse(self, path: str, wrong: str, right: str) -> None:
        self.problems.add("source", f"{shown(path)}: {wrong}", right)


def look_for_files(source: str, exclude: t.Sequence[str], problems: Problems) -> tuple[list[File], list[str]]:
    """Return the files below a folder, without digests, and the excluded paths."""
    root = os.path.realpath(source)
    if not is_folder(root):
        problems.add("source", f"the folder {source} does not exist", "build the site first, or give another folder")
        return [], []
    walk = _Walk(root, exclude, problems, [], [])
    walk.folder(root, "", (root,))
    if not walk.files and not problems.found:
        wrong = f"the folder {source} contains no files to publish"
        problems.add("source", wrong, "build the site first: publishing an empty folder would delete the site")
    return walk.files, walk.left_out


def check_names(files: t.Sequence[File], prefix: str, precompress: t.Container[str], problems: Problems) -> list[File]:
    """Return the files with their paths in Unicode's composed form (NFC). Add invalid names to `problems`."""
    named: dict[str, File] = {}
    for file in files:
        path = file.path
        if _is_utf8(path):
            path = unicodedata.normalize("NFC", path)
        wrong = _wrong_name(path, prefix)
        if wrong:
            problems.add("source", f"{shown(file.path)}: {wrong[0]}", wrong[1])
        elif path in named:
            both = f"{shown(file.path)} and {named[path].path!a} are equal in Unicode's form NFC"
            problems.add("source", both, "keep one of them")
        else:
            named[path] = File(path, file.place)
    for path in named:
        if path.endswith(VARIANT) and path.removesuffix(VARIANT) in named and _ending(path) in precompress:
            variant = f"{shown(path)}: has the name of a compressed variant"
            problems.add("source", variant, "remove it, or remove its extension from precompress")
    if any("+" in path for path in named):
        plus = next(path for path in named if "+" in path)
        problems.warn("source", f"URLs must contain %2B for the + of {plus}, because S3 reads + in a URL as a space")
    return list(named.values())


def _ending(variant: str) -> str:
    return variant.removesuffix(VARIANT).rpartition(".")[2].lower()


def _wrong_name(path: str, prefix: str) -> tuple[str, str] | None:
    if not _is_utf8(path):
        return "the name is not UTF-8", "rename it"
    if not path.isprintable() and any(
        unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in path
    ):
        return "the name contains a control character", "rename it: listings of the bucket cannot contain it"
    length = len(f"{prefix}/{path}{VARIANT}".encode())
    if length > LONGEST_KEY:
        return f"the key has {length} bytes, including {VARIANT}", f"shorten it to {LONGEST_KEY}"
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str) -> str:
    """Return a path for an error message, with unprintable characters escaped."""
    return path if path.isprintable() and _is_utf8(path) else ascii(path)


def read_files(files: t.Sequence[File]) -> list[File]:
    """Return the files with sizes and digests. Raise GroundworkError if a file cannot be read or is too large."""
    shares = [files[start : start + SHARE] for start in range(0, len(files), SHARE)]
    with ThreadPoolExecutor(HASHERS) as pool:
        return [file for share in pool.map(_read_share, shares) for file in share]


def _read_share(files: t.Sequence[File]) -> list[File]:
    return [_read(file) for file in files]


def _read(file: File) -> File:
    digest = hashlib.sha256()
    size = 0
    try:
        opened = os.open(file.place, os.O_RDONLY)  # a file object would take a third longer
        try:
            while chunk := os.read(opened, CHUNK):
                digest.update(chunk)
                size += len(chunk)
        finally:
            os.close(opened)
    except OSError as error:
        raise GroundworkError(f"Could not read {file.place}: {error.strerror}. Nothing was changed.") from error
    if size > LARGEST:
        raise GroundworkError(f"{file.place} has {size} bytes, and S3's limit is 5 TiB. Nothing was changed.")
    return File(file.path, file.place, size, digest.hexdigest())


def content_of(place: str) -> bytes:
    """Return the content of a small file. Raise GroundworkError if it cannot be read."""
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise GroundworkError(f"Could not read {place}: {error.strerror}. Nothing was changed.") from error


def changed_meanwhile(path: str) -> GroundworkError:
    """Return the error for a file whose content has changed since the plan was made."""
    return GroundworkError(
        f"{shown(path)} was changed during the publication. Run again when the source is not being written to any more."
    )
