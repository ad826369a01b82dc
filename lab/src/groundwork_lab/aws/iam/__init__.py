"""Identity and Access Management with AWS' own rules: the policies that AWS manages, and roles.

`api.permissions` applies the policies of instances' roles.
https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="iam", protocol="query", reach="global", global_endpoint=True)
