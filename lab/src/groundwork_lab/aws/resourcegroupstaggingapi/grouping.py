"""The resources that GetResources of the tagging API returns in a region.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import moto.resourcegroupstaggingapi.urls
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from groundwork_lab.aws.services import services

GLOBAL_REGION = "us-east-1"


class GroupingBackend(ResourceGroupsTaggingAPIBackend):
    """AWS returns resources of global services in one region only. moto returns them in all regions."""

    _url_module = moto.resourcegroupstaggingapi.urls  # moto looks it up beside the class

    def _get_resources_generator(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        everywhere = {each.client for each in services() if each.reach == "global"}
        for resource in super()._get_resources_generator(*arguments, **options):
            if self.region_name == GLOBAL_REGION or resource.resource_type.split(":")[0] not in everywhere:
                yield resource
