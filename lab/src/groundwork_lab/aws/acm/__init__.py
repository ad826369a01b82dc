"""Certificate Manager: moto's reads. The lab issues no certificates for it.

https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="acm", protocol="json", not_implemented="certificates")
