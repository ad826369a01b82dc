"""The lab's DNS for tests, with a world of hosted zones."""

from __future__ import annotations

from groundwork_lab.journal import Journal
from groundwork_lab.lookup import Lookup
from groundwork_lab.model import Distribution, HostedZone, World
from groundwork_lab.plane.names import Names
from groundwork_lab.settings import Settings

DISTRIBUTION = Distribution("E1", "arn", "d1.cloudfront.net", {"Enabled": True})


class Dns:
    """The lab's DNS, with a world of hosted zones."""

    def __init__(self, names: Names, settings: Settings, journal: Journal) -> None:
        self.names = names
        self.settings = settings
        self.ask = Lookup(settings)
        self.journal = journal

    def serve(self, *zones: HostedZone) -> None:
        self.names.reconcile(World(hosted_zones={each.id: each for each in zones}, distributions={"E1": DISTRIBUTION}))

    def addresses(self, name: str) -> tuple[str, ...]:
        return self.ask(name, "A").values.get("A", ())
