"""Route 53: public hosted zones with simple and alias records. The state and its rules are the lab's own.

https://docs.aws.amazon.com/Route53/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="route53", protocol="rest-xml", reach="global", global_endpoint=True)
