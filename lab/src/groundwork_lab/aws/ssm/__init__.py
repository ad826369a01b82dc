"""Systems Manager with AWS' own rules: Parameter Store.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="ssm", protocol="json")
