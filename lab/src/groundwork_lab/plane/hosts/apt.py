"""The package sources of the machine's apt, so that the lab's hosts use the same archive.

The lab contains no mirror of its own: the base image and its updates come from the Debian archive that this machine's
apt uses. Sources: apt-get(8) `indextargets`, apt-config(8) `dump`, sources.list(5), apt-transport-mirror(1).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
POCKETS = ("", "-updates", "-security")

# Settings for reaching an archive (proxies, certificates) apply on the machine only. Settings for checking dates depend
# on the machine's clock, which the hosts share.
REACHING = re.compile(r"Acquire::(https?::(Proxy|CaInfo|CaPath|Verify-)|Retries\b)", re.IGNORECASE)
JUDGING = re.compile(r"Acquire::Check-(Valid-Until|Date)\b", re.IGNORECASE)


class NoDebianArchiveError(Exception):
    """The machine's apt has no Debian archive."""


@dataclass(frozen=True)
class Target:
    """A `Packages` index of apt. `origin` is empty if its Release file was never downloaded."""

    uri: str
    release: str
    codename: str
    component: str
    origin: str


@dataclass(frozen=True)
class Source:
    """An entry of sources.list(5): an archive and a suite, with the component `main`."""

    uri: str
    suite: str


def parse_targets(text: str) -> list[Target]:
    """Return the indexes in the output of `apt-get indextargets` (stanzas of `Key: value` lines)."""
    targets = []
    for stanza in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line)
        if "Repo-URI" in fields:
            targets.append(
                Target(
                    uri=fields["Repo-URI"],
                    release=fields.get("Release", ""),
                    codename=fields.get("Codename", ""),
                    component=fields.get("Component", ""),
                    origin=fields.get("Origin", ""),
                )
            )
    return targets


def debian_sources(
    targets: Iterable[Target], machine: str, suite: str, read_mirrors: Callable[[str], str]
) -> tuple[Source, ...]:
    """Return the machine's Debian archives as sources for `suite`, one for each pocket that the machine has.

    `machine` is the machine's own release: the archive of a Debian 13 machine contains Debian 12 too. `read_mirrors`
    reads the list of a `mirror+file:` address. Raise NoDebianArchiveError.
    """
    found: dict[str, Source] = {}
    for target in targets:
        if target.component != "main" or target.origin not in ("", "Debian"):
            continue
        for pocket in POCKETS:
            if f"{machine}{pocket}" in (target.release, target.codename):
                found.setdefault(pocket, Source(_direct(target.uri, read_mirrors), f"{suite}{pocket}"))
    if "" not in found:
        message = (
            f"apt on this machine has no Debian archive for {machine} (component main), "
            "which is required to build the base image of the lab's hosts and other Debian roots. "
            "Add one to /etc/apt/sources.list.d and run apt-get update."
        )
        raise NoDebianArchiveError(message)
    return tuple(found[pocket] for pocket in POCKETS if pocket in found)


def _direct(uri: str, read_mirrors: Callable[[str], str]) -> str:
    """Return the first mirror of a `mirror+file:` address (used by Debian's cloud images), or `uri` itself."""
    if not uri.startswith("mirror+file:"):
        return uri
    path = "/" + uri.removeprefix("mirror+file:").strip("/")
    lines = (line.split("#")[0].split() for line in read_mirrors(path).splitlines())
    return next((words[0] for words in lines if words), uri)


def render_sources(sources: Iterable[Source]) -> str:
    """Return the sources in deb822 format, one stanza each, as in Debian's AMIs."""
    stanzas = [
        f"Types: deb\nURIs: {source.uri}\nSuites: {source.suite}\nComponents: main\nSigned-By: {KEYRING}\n"
        for source in sources
    ]
    return "\n".join(stanzas)


def options(dump: str, wanted: re.Pattern[str]) -> tuple[str, ...]:
    """Return the lines of `apt-config dump` with a key that matches `wanted` and a value."""
    return tuple(line for line in dump.splitlines() if wanted.match(line) and not line.endswith(' "";'))


@dataclass(frozen=True)
class Apt:
    """The machine's apt: its Debian sources, and its options for reaching them and for checking dates."""

    sources: tuple[Source, ...]
    reaching: tuple[str, ...]
    judging: tuple[str, ...]


def machine_apt(suite: str) -> Apt:
    """Query this machine's apt. Raise NoDebianArchiveError, or CalledProcessError if apt fails."""
    indexes = _output("apt-get", "indextargets", "Created-By: Packages")
    dump = _output("apt-config", "dump")
    sources = debian_sources(parse_targets(indexes), _codename(), suite, lambda path: Path(path).read_text("utf-8"))
    return Apt(sources=sources, reaching=options(dump, REACHING), judging=options(dump, JUDGING))


def architecture() -> str:
    """Return this machine's architecture with Debian's name: `amd64`, `arm64`."""
    return _output("dpkg", "--print-architecture").strip()


def _codename() -> str:
    lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    return dict(line.partition("=")[::2] for line in lines).get("VERSION_CODENAME", "").strip('"')


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
