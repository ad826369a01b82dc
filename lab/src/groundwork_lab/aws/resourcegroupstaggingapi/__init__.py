"""The tagging API with AWS' own rules.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="resourcegroupstaggingapi", protocol="json", signs_as="tagging", action_prefix="tag")
