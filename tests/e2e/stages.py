"""The stages of the end-to-end tests, in the order in which they run. The stage `x` is the file `test_x.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

PREFIX = "test_"
Part = Literal[
    "test",
    "applications",
    "backups",
    "databases",
    "environments",
    "kills",
    "names",
    "operations",
    "releases",
    "servers",
    "wire",
]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Stage:
    """One file of tests, which leaves the site as it found it; the last one removes it.

    `needs` is what must exist before the first test: "site" is the environment that site.yml builds. `part` is what
    runs the stage: "test" is `make test`, "servers" is `make long-servers`, and so on.
    """

    name: str
    about: str
    needs: Literal["nothing", "site"] = "site"
    part: Part = "test"

    @property
    def file(self) -> str:
        return f"{PREFIX}{self.name}.py"


STAGES = (
    Stage("bad_input", "a wrong inventory is refused before anything is written", needs="nothing"),
    Stage("wire", "one run builds the site, also when AWS and the way to it fail", needs="nothing", part="wire"),
    Stage("lock", "one run at a time writes, whatever becomes of the others", needs="nothing", part="environments"),
    Stage("plan_and_run", "on an empty account the plan is complete, and the run does exactly that", needs="nothing"),
    Stage("site", "both load balancers serve their tier"),
    Stage("packets", "what the network lets through"),
    Stage("breakage", "what breaks is noticed and repaired"),
    Stage("full_disk", "a full disk is named before anything is changed", part="servers"),
    Stage("inventory", "an inventory that does not show the servers is refused"),
    Stage("pages", "site.yml asks every server for a page of every site", part="operations"),
    Stage(
        "at_night",
        "the state, the logs, a command and a maintenance page, for a person with an outage",
        part="operations",
    ),
    Stage("secrets", "passwords are only where they are needed", part="operations"),
    Stage("values", "PHP gets settings and variables as they were written", part="releases"),
    Stage("more_servers", "more servers cost no more calls, and fewer have to be allowed", part="releases"),
    Stage("contained", "a site reads nothing of the other sites on its server", part="releases"),
    Stage("metadata", "a site does not reach the instance metadata service", part="servers"),
    Stage("release", "visitors do not see a release, and few of them one that fails"),
    Stage("release_failures", "a release fails for other reasons than its own", part="releases"),
    Stage("release_command", "a release command runs once, or no server serves the release", part="releases"),
    Stage("behind", "a server that missed a release serves no visitor before it has it", part="releases"),
    Stage("image", "a golden image is baked, tested and promoted, and a tier grows from it", part="servers"),
    Stage("groups", "the servers of an Auto Scaling group configure themselves at their first boot", part="servers"),
    Stage("replace", "all servers are replaced by new ones from the golden image", part="servers"),
    Stage("folders", "a site writes what it declares, and its commands get what its PHP gets", part="applications"),
    Stage("mail", "a site sends mail through a relay that was away", part="applications"),
    Stage("shared_files", "shared folders that are the same on every server", part="applications"),
    Stage("wordpress", "WordPress is installed, used and released", part="applications"),
    Stage("symfony", "a Symfony project serves, migrates and works by its schedule", part="applications"),
    Stage("laravel", "a Laravel project serves, migrates, and works by its queue and scheduler", part="applications"),
    Stage("mediawiki", "MediaWiki is installed by its release, and used", part="applications"),
    Stage("backups", "what is on a server comes back from its backup, and damage is found before", part="backups"),
    Stage("ticks", "a schedule runs once at a time, whatever happens to servers", part="releases"),
    Stage("static_site", "the static site through CloudFront"),
    Stage("names", "a site on its own domain, with HTTPS", part="names"),
    Stage("front", "a site behind CloudFront alone, whose secret rotates", part="names"),
    Stage(
        "managed_database",
        "an environment whose sites have their databases on RDS, from nothing to its final snapshot",
        needs="nothing",
        part="databases",
    ),
    Stage("visitors", "visitors of the static site while it is published", part="kills"),
    Stage("two_environments", "a second environment beside the first", part="environments"),
    Stage(
        "second_controller",
        "another controller works on the site, recovers its servers, and removes it",
        part="environments",
    ),
    Stage("teardown", "nothing remains of the environment, and all else does"),
)
POSITIONS = {stage.file: position for position, stage in enumerate(STAGES)}


def stage_of(file: str) -> Stage | None:
    """Return the stage of a file's name, None if the file is not a stage."""
    return STAGES[POSITIONS[file]] if file in POSITIONS else None


def mismatches(files: Iterable[str]) -> list[str]:
    """Return the differences between the list of stages and the files in their folder, each with what to do."""
    found = {file for file in files if file.startswith(PREFIX)}
    unlisted = sorted(found - POSITIONS.keys())
    missing = [stage for stage in STAGES if stage.file not in found]
    return [
        *(f"{file} is not a stage: add it to STAGES in tests/e2e/stages.py, where it has to run." for file in unlisted),
        *(f"{stage.file} does not exist: write it, or remove the stage '{stage.name}'." for stage in missing),
    ]
