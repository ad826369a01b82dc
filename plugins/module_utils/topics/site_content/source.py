# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder to publish: which files are in it, under which keys, and what is in them."""

from __future__ import annotations

import hashlib
import os
import typing as t
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import is_excluded

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
LONGEST_KEY = 1024  # bytes
VARIANT = ".br"
LARGEST = 5 * 1024**4  # bytes of an object, in parts; https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MOST_PROBLEMS = 50
CHUNK = 1024 * 1024
HASHERS = 2  # hashing frees the interpreter, opening files does not: more of them stand in the way of the listing
SHARE = 32  # files that are handed to one of them at a time


class File(t.NamedTuple):
    """A file of the source: its path below the prefix, and where it is; size and SHA-256 are known when it is read."""

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
        """`real` are the resolved folders that lead here: one that comes twice is a loop."""
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            self._refuse(above or ".", f"the folder cannot be read ({error.strerror})", "let this user read it")
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
        """Its folder has told what it is: only a link needs another look."""
        try:
            if entry.is_symlink():
                entry.stat()
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError as error:
            self._refuse(path, f"it cannot be read ({error.strerror})", "mend or remove it")
            return
        if is_folder:
            resolved = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            if resolved in real:
                self._refuse(path, "the link leads to a folder that it is in", "remove it")
            else:
                self.folder(entry.path, f"{path}/", (*real, resolved))
        elif not is_file:
            self._refuse(path, "it is no file", "remove it, or exclude it")
        elif not os.access(entry.path, os.R_OK):
            self._refuse(path, "it cannot be read (Permission denied)", "let this user read it")
        else:
            self.files.append(File(path, entry.path))

    def _leads_inside(self, entry: os.DirEntry[str], path: str) -> bool:
        target = os.path.realpath(entry.path)
        if target != self.root and not target.startswith(self.root + os.sep):
            self._refuse(path, f"the link leads out of the source, to {target}", "copy what it leads to")
            return False
        return True

    def _refuse(self, path: str, wrong: str, right: str) -> None:
        self.problems.add("source", f"{shown(path)}: {wrong}", right)


def look_for_files(source: str, exclude: t.Sequence[str], problems: Problems) -> tuple[list[File], list[str]]:
    """The files below a folder, not read yet, and the paths that were left out."""
    root = os.path.realpath(source)
    if not Path(root).is_dir():
        problems.add("source", f"there is no folder {source}", "build the site first, or give the right folder")
        return [], []
    walk = _Walk(root, exclude, problems, [], [])
    walk.folder(root, "", (root,))
    if not walk.files and not problems.found:
        wrong = f"there is no file to publish in {source}"
        problems.add("source", wrong, "build the site first: an empty folder would take the site away")
    return walk.files, walk.left_out


def check_names(files: t.Sequence[File], prefix: str, precompress: t.Container[str], problems: Problems) -> list[File]:
    """The files under the paths that they are published by: Unicode in its composed form (NFC), as links have it."""
    named: dict[str, File] = {}
    for file in files:
        path = file.path
        if _is_utf8(path):
            path = unicodedata.normalize("NFC", path)
        wrong = _wrong_name(path, prefix)
        if wrong:
            problems.add("source", f"{shown(file.path)}: {wrong[0]}", wrong[1])
        elif path in named:
            both = f"{shown(file.path)} and {named[path].path!a} are the same name in Unicode"
            problems.add("source", both, "keep one of them")
        else:
            named[path] = File(path, file.place)
    for path in named:
        if path.endswith(VARIANT) and path.removesuffix(VARIANT) in named and _ending(path) in precompress:
            problems.add("source", f"{shown(path)}: it is in the way of the variant of its name", "remove it")
    if any("+" in path for path in named):
        plus = next(path for path in named if "+" in path)
        problems.warn("source", f"{plus} is found at %2B only, because S3 takes a + in a URL for a space")
    return list(named.values())


def _ending(variant: str) -> str:
    return variant.removesuffix(VARIANT).rpartition(".")[2].lower()


def _wrong_name(path: str, prefix: str) -> tuple[str, str] | None:
    if not _is_utf8(path):
        return "its name is not UTF-8", "rename it"
    if not path.isprintable() and any(
        unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in path
    ):
        return "its name has a control character", "rename it: no listing of the bucket could tell it"
    length = len(f"{prefix}/{path}{VARIANT}".encode())
    if length > LONGEST_KEY:
        return f"its key has {length} bytes, room for {VARIANT} included", f"shorten it to {LONGEST_KEY}"
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(path: str) -> str:
    """A path as an error shows it, on one line whatever is in it."""
    return path if path.isprintable() and _is_utf8(path) else ascii(path)


def read_files(files: t.Sequence[File]) -> list[File]:
    """The files with their digests. Raises GroundworkError naming the file that cannot be read, or grows meanwhile."""
    shares = [files[start : start + SHARE] for start in range(0, len(files), SHARE)]
    with ThreadPoolExecutor(HASHERS) as pool:
        return [file for share in pool.map(_read_share, shares) for file in share]


def _read_share(files: t.Sequence[File]) -> list[File]:
    return [_read(file) for file in files]


def _read(file: File) -> File:
    digest = hashlib.sha256()
    size = 0
    try:
        opened = os.open(file.place, os.O_RDONLY)  # an object for each file would cost a third more
        try:
            while chunk := os.read(opened, CHUNK):
                digest.update(chunk)
                size += len(chunk)
        finally:
            os.close(opened)
    except OSError as error:
        raise GroundworkError(f"Could not read {file.place}: {error.strerror}. Nothing was changed.") from error
    if size > LARGEST:
        raise GroundworkError(f"{file.place} has {size} bytes: S3 takes 5 TiB at most. Nothing was changed.")
    return File(file.path, file.place, size, digest.hexdigest())


def changed_meanwhile(path: str) -> GroundworkError:
    """For a file whose content is not any more what was planned."""
    return GroundworkError(
        f"{shown(path)} was changed while it was published. Run again when nothing writes into the source any more."
    )
