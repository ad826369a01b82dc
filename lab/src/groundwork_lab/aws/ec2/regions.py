"""The regions that are enabled for the account: the lab's own region only."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend


class RegionsBackend(EC2Backend):
    def describe_regions(self, region_names: list[str] | None = None) -> list[Any]:
        return list(super().describe_regions(region_names or [self.region_name]))
