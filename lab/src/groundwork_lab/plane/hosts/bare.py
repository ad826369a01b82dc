"""A bare Debian: a root as a new machine has it, with Debian's own Python and nothing that the project installs.

`python -m groundwork_lab.plane.hosts.bare RELEASE` (12 or 13) prints its folder, and builds it first when there is
none. `tools/in-debian` runs commands in a copy of it.
"""

from __future__ import annotations

import sys

from groundwork_lab.plane.hosts import apt
from groundwork_lab.plane.hosts.roots import LEFTOVERS, Recipe, RootError, ensure_root
from groundwork_lab.settings import from_environment

SUITES = {"12": "bookworm", "13": "trixie"}
PACKAGES = ("ca-certificates", "make", "python3")  # what the README asks of a machine


def recipe(suite: str, machine: apt.Apt, architecture: str) -> Recipe:
    """Return the recipe of a bare Debian whose apt reaches the archive as this machine's does."""
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
    """Print the folder of the release that the command line names."""
    release = " ".join(sys.argv[1:])
    if release not in SUITES:
        print(f"There is no bare Debian {release!r}; there are {' and '.join(SUITES)}.", file=sys.stderr)
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
