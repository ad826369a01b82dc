"""A bare Debian: a root like that of a new machine, with Debian's own Python and without the project's packages.

`python -m groundwork_lab.plane.hosts.bare RELEASE` (12 or 13) prints its folder, and builds it first if it does not
exist. `tools/in-debian` runs commands in a copy of it.
"""

from __future__ import annotations

import sys

from groundwork_lab.plane.hosts import apt
from groundwork_lab.plane.hosts.roots import LEFTOVERS, Recipe, RootError, ensure_root
from groundwork_lab.settings import from_environment

SUITES = {"12": "bookworm", "13": "trixie"}
PACKAGES = ("ca-certificates", "make", "python3")  # the packages that the README requires


def recipe(suite: str, machine: apt.Apt, architecture: str) -> Recipe:
    """Return the recipe of a bare Debian whose apt uses the machine's archive and options."""
    return Recipe(
        suite=suite,
        architecture=architecture,
        packages=PACKAGES,
        files={
            "etc/apt/apt.conf.d/90machine": "".join(f"{line}\n" for line in (*machine.reaching, *machine.judging)),
            "etc/apt/sources.list.d/debian.sources": apt.render_sources(machine.sources),
        },
        masked=(),
        removed=LEFTOVERS,
    )


def main() -> int:
    """Print the folder of the release on the command line."""
    release = " ".join(sys.argv[1:])
    if release not in SUITES:
        print(f"The release {release!r} is not supported; use {' or '.join(SUITES)}.", file=sys.stderr)
        return 2
    try:
        machine = apt.machine_apt(SUITES[release])
        wanted = recipe(SUITES[release], machine, apt.architecture())
        folder = from_environment().cache / "roots"
        print(ensure_root(wanted, machine, folder, lambda line: print(f"Debian {release}: {line}", file=sys.stderr)))
    except (RootError, apt.NoDebianArchiveError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
