"""Service Quotas, for reading: the quotas of an account that has raised some of them.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(
    client="service-quotas",
    protocol="json",
    signs_as="servicequotas",
    not_implemented="requests for other quotas",
    in_world=False,
)
