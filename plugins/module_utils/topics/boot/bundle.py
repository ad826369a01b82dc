# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle: one file with everything that a server runs at its first boot.

It contains the modules' code as it is on the controller, and the server's desired configuration. It is uncompressed and
has no timestamps, so that its digest changes only if the code or the configuration changes.
"""

from __future__ import annotations

import ast
import importlib
import io
import json
import typing as t
import zipfile

from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import fetching, server

COLLECTION = "ansible_collections.groundwork.aws."
MAIN = f"from {server.__name__} import main\n\nmain()\n"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip file


def bundle(desired: t.Mapping[str, t.Any]) -> bytes:
    """Return a zip file that Python can run. Its bytes depend only on the desired configuration and the code."""
    sources = modules_for(server.__name__)
    packages = {name.rpartition(".")[0] for name in sources}
    packages |= {parent for name in packages for parent in _parents(name)}
    files = {
        **{f"{_path(name)}/__init__.py": b"" for name in packages},
        **{f"{_path(name)}.py": source for name, source in sources.items()},
        "__main__.py": MAIN.encode(),
        server.DESIRED: json.dumps(desired, sort_keys=True, indent=1).encode(),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(files):
            packed.writestr(_entry(name), files[name])
    return content.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    """Return a zip entry that all users can read, with the attributes of Unix on every system."""
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    return entry


def modules_for(entry: str) -> dict[str, bytes]:
    """Return the sources, by module name, of a module of the collection and of all modules that it imports from it."""
    found: dict[str, bytes] = {}
    wanted = [entry]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = source_of(name)
            wanted += imports_of(found[name])
    return found


def source_of(name: str) -> bytes:
    """Return a module's source, from a folder or from the archive that Ansible runs modules from."""
    loader: t.Any = importlib.import_module(name).__loader__
    source = loader.get_source(name)
    return source if isinstance(source, bytes) else source.encode()


def imports_of(source: bytes) -> list[str]:
    """Return the collection's modules that a source imports. The collection uses only `from … import`.

    A name that is imported from a package is a module, because the collection's packages define no names.
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(COLLECTION):
            module = importlib.import_module(str(node.module))
            is_package = hasattr(module, "__path__")
            found += [f"{node.module}.{alias.name}" for alias in node.names] if is_package else [str(node.module)]
    return found


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _path(name: str) -> str:
    return name.replace(".", "/")


def user_data(*, region: str, domain: str, bucket: str, key: str, digest: str) -> str:
    """Return the user data of a new server, which fetches the bundle with this digest and runs it."""
    source = source_of(fetching.__name__).decode()
    where = f"Cloud({region!r}, {domain!r}), {bucket!r}, {key!r}, {digest!r}"
    return f"#!/usr/bin/python3\n{source}\n\nstart({where})\n"
