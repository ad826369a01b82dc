# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from the path of a request to a file, as the viewer-request function of the role `static_site` goes it.

Paths are relative to the source and not percent-encoded. roles/static_site/templates/viewer_request.js.j2
"""

from __future__ import annotations

import re
import typing as t

CleanUrls = t.Literal["serve", "redirect", "html", "none"]

INDEX = "index.html"
WELL_KNOWN = ".well-known/"
# A version such as 1.4, v2.0.1 or 11.x is the name of a folder, not a file with the extension 4.
EXTENSION = re.compile(r"\.([a-z][a-z0-9_-]*|7z|3gp|3g2)$", re.IGNORECASE)
VERSION = re.compile(r"v?\d+(\.\d+)*\.x", re.IGNORECASE)


def has_extension(path: str) -> bool:
    """Return whether the last name of a path has an extension, so that the function leaves the path as it is."""
    name = path.rpartition("/")[2]
    return bool(EXTENSION.search(name)) and not VERSION.fullmatch(name)


def is_mapped(path: str, unmapped: t.Container[str] = ()) -> bool:
    """Return whether clean URLs map a path to a page. `unmapped` are paths of files without an extension."""
    return not has_extension(path) and not path.startswith(WELL_KNOWN) and f"/{path}" not in unmapped


def answering(path: str, clean_urls: str, unmapped: t.Container[str] = ()) -> str:
    """Return the file that answers a request for `path`."""
    if not path or (path.endswith("/") and clean_urls != "none"):
        return f"{path}{INDEX}"
    if clean_urls == "none" or not is_mapped(path, unmapped):
        return path
    return f"{path}.html" if clean_urls == "html" else f"{path}/{INDEX}"


def perhaps_meant(path: str) -> tuple[str, ...]:
    """Return the files that a link to `path` may mean, for any way of mapping paths."""
    bare = path.rstrip("/")
    return (path, f"{bare}.html", f"{bare}/{INDEX}" if bare else INDEX)


def visited(path: str, clean_urls: str) -> list[str]:
    """Return the paths, with their first slash, under which visitors find a file.

    AWS recommends invalidating what a visitor requests and what a function makes of it.
    """
    folder, _slash, name = f"/{path}".rpartition("/")
    paths = [f"/{path}"]
    if name == INDEX:
        paths.append(f"{folder}/")
        if folder and clean_urls != "html":
            paths.append(folder)
    elif clean_urls == "html" and name.endswith(".html"):
        paths.append(f"/{path}".removesuffix(".html"))
    return paths
