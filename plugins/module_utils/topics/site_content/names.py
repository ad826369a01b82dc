# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kind, Content-Type and Cache-Control of a file, which depend on its name."""

from __future__ import annotations

import json
import typing as t
from fnmatch import fnmatchcase

Kind = t.Literal["immutable", "asset", "page"]

UTF8 = "; charset=utf-8"
BINARY = "application/octet-stream"

# https://www.iana.org/assignments/media-types/ . Python's `mimetypes` is not used because its table depends on the
# machine.
CONTENT_TYPES = {
    "3gp": "video/3gpp",
    "7z": "application/x-7z-compressed",
    "aac": "audio/aac",
    "apng": "image/apng",
    "atom": f"application/atom+xml{UTF8}",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "cjs": f"text/javascript{UTF8}",
    "css": f"text/css{UTF8}",
    "csv": f"text/csv{UTF8}",
    "deb": "application/vnd.debian.binary-package",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eot": "application/vnd.ms-fontobject",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "geojson": f"application/geo+json{UTF8}",
    "gif": "image/gif",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "gz": "application/gzip",
    "heic": "image/heic",
    "heif": "image/heif",
    "htm": f"text/html{UTF8}",
    "html": f"text/html{UTF8}",
    "ico": "image/vnd.microsoft.icon",
    "ics": f"text/calendar{UTF8}",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": f"text/javascript{UTF8}",
    "json": f"application/json{UTF8}",
    "jsonld": f"application/ld+json{UTF8}",
    "jxl": "image/jxl",
    "m3u8": "application/vnd.apple.mpegurl",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "map": f"application/json{UTF8}",
    "md": f"text/markdown{UTF8}",
    "mjs": f"text/javascript{UTF8}",
    "mkv": "video/matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpd": "application/dash+xml",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "rss": f"application/rss+xml{UTF8}",
    "rtf": "application/rtf",
    "svg": f"image/svg+xml{UTF8}",
    "svgz": f"image/svg+xml{UTF8}",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "toml": f"application/toml{UTF8}",
    "ts": "video/mp2t",
    "ttf": "font/ttf",
    "txt": f"text/plain{UTF8}",
    "vtt": f"text/vtt{UTF8}",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webmanifest": f"application/manifest+json{UTF8}",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": f"application/xhtml+xml{UTF8}",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": f"application/xml{UTF8}",
    "xsl": f"application/xslt+xml{UTF8}",
    "xz": "application/x-xz",
    "yaml": f"application/yaml{UTF8}",
    "yml": f"application/yaml{UTF8}",
    "zip": "application/zip",
    "zst": "application/zstd",
}
# https://developer.apple.com/documentation/xcode/supporting-associated-domains
TYPES_BY_NAME = {
    "apple-app-site-association": f"application/json{UTF8}",
    "CNAME": f"text/plain{UTF8}",
    "LICENSE": f"text/plain{UTF8}",
    "README": f"text/plain{UTF8}",
}

CONTENT_ENCODINGS = {"svgz": "gzip"}  # of files that are compressed by their format

# Files that refer to others and keep their names. They are uploaded last, and browsers revalidate them.
PAGES = frozenset({"atom", "htm", "html", "rss", "webmanifest", "xhtml", "xml"})
PAGES_BY_NAME = frozenset({"sw.js", "service-worker.js", "ngsw-worker.js", "ngsw.json", "robots.txt"})

CACHE_CONTROL: dict[Kind, str] = {
    "immutable": "public, max-age=31536000, immutable",
    # CloudFront may cache pages for a year because a publication invalidates them. Browsers must revalidate them.
    "page": "public, max-age=0, s-maxage=31536000, must-revalidate",
    "asset": "public, max-age=300, s-maxage=86400",
}


def last_name(path: str) -> str:
    """Return the part of a path after the last slash."""
    return path.rpartition("/")[2]


def extension(name: str) -> str:
    """Return the last extension in lower case, or "" if there is none."""
    stem, dot, ending = last_name(name).rpartition(".")
    return ending.lower() if dot and stem else ""


def is_page(path: str) -> bool:
    """Return whether a file refers to others and keeps its name."""
    name = last_name(path)
    return extension(name) in PAGES or name in PAGES_BY_NAME


def kind_of(path: str, hashed: t.Container[str]) -> Kind:
    """Return the kind of a file, which decides how it is cached. `hashed` are the paths with a fingerprint."""
    if is_page(path):
        return "page"
    return "immutable" if path in hashed else "asset"


def content_type(key: str, overrides: t.Sequence[tuple[str, str]] = ()) -> str:
    """Return the Content-Type by the first matching pattern, by name, or by extension."""
    for pattern, value in overrides:
        if matches(key, pattern):
            return value
    name = last_name(key)
    return TYPES_BY_NAME.get(name) or CONTENT_TYPES.get(extension(name), BINARY)


def is_sniffed(path: str) -> bool:
    """Return whether the content of a file decides about its type: below `.well-known`, JSON often has no extension.

    https://www.iana.org/assignments/well-known-uris
    """
    name = last_name(path)
    return f"/{path}".find("/.well-known/") >= 0 and not extension(name) and name not in TYPES_BY_NAME


def sniffed_type(body: bytes) -> str:
    """Return the Content-Type of a file without an extension: JSON if it is a JSON object or array."""
    try:
        found = json.loads(body) if body.lstrip()[:1] in (b"{", b"[") else None
    except ValueError:
        found = None
    return BINARY if found is None else f"application/json{UTF8}"


def cache_control(key: str, kind: Kind, rules: t.Sequence[tuple[str, str]] = ()) -> str:
    """Return the Cache-Control by the first matching pattern, or by kind."""
    for pattern, value in rules:
        if matches(key, pattern):
            return value
    return CACHE_CONTROL[kind]


def matches(path: str, pattern: str) -> bool:
    """Return whether a shell pattern matches: the whole path if the pattern has a slash, otherwise the last name."""
    return fnmatchcase(path if "/" in pattern else last_name(path), pattern.lstrip("/"))


def is_excluded(path: str, patterns: t.Sequence[str]) -> bool:
    """Return whether a path is excluded. The pattern `.*` does not exclude `.well-known` (RFC 8615)."""
    name = last_name(path)
    if name == ".well-known":
        patterns = [pattern for pattern in patterns if pattern != ".*"]
    return any(matches(path, pattern) for pattern in patterns)
