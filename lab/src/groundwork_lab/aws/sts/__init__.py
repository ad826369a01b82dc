"""Security Token Service with AWS' own rules: the caller's identity.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="sts", protocol="query", global_endpoint=True)
