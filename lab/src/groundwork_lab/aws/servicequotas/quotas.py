"""The quotas of the lab's services: the default values of AWS' documentation, and the applied values of the account.

https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html,
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html,
https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html and
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
"""

from __future__ import annotations

from typing import Any

import moto.servicequotas.urls
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.resources.default_quotas.vpc import VPC_DEFAULT_QUOTAS

from groundwork_lab.aws.context import Context, refuse

SERVICES = {
    "acm": "AWS Certificate Manager (ACM)",
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "route53": "Amazon Route 53",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}
EC2 = {  # name and default value
    "L-0263D0A3": ("EC2-VPC Elastic IPs", 5),
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5),
    "L-DB2E81BA": ("Running On-Demand G and VT instances", 0),
    "L-417A185B": ("Running On-Demand P instances", 0),
    "L-74FC7D96": ("Running On-Demand F instances", 0),
    "L-7295265B": ("Running On-Demand X instances", 0),
}
ELB = {
    "L-B6DF7632": ("Listeners per Application Load Balancer", 50),
    "L-7EED9B64": ("Rules per Application Load Balancer", 100),
}
ACM = {
    "L-F141DD1D": ("ACM certificates", 2500),
    "L-D2CB7DE9": ("Imported certificates", 2500),
    "L-FB94F0B0": ("Domain names per ACM certificate", 10),
}
ROUTE53 = {"L-4EA4796A": ("Hosted zones", 500)}
RAISED = {("ec2", "L-0263D0A3"): 64.0, ("ec2", "L-1216C47A"): 512.0, ("vpc", "L-F678F1CE"): 32.0}


class QuotasBackend(ServiceQuotasBackend):
    context: Context  # set by `install`
    _url_module = moto.servicequotas.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.applied = dict(RAISED)

    def list_aws_default_service_quotas(self, service_code: str) -> list[dict[str, Any]]:
        return [self._quota(service_code, *each) for each in _defaults(service_code)]

    def get_service_quota(self, service_code: str, quota_code: str) -> dict[str, Any]:
        found = next((each for each in _defaults(service_code) if each[0] == quota_code), None)
        if found is None:
            refuse("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        code, name, value = found
        return self._quota(service_code, code, name, self.applied.get((service_code, code), value))

    def _quota(self, service: str, code: str, name: str, value: float) -> dict[str, Any]:
        return {
            "ServiceCode": service,
            "ServiceName": SERVICES[service],
            "QuotaArn": f"arn:aws:servicequotas:{self.region_name}:{self.account_id}:{service}/{code}",
            "QuotaCode": code,
            "QuotaName": name,
            "Value": float(value),
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }


def _defaults(service: str) -> list[tuple[str, str, float]]:
    """Return the code, the name and the default value of each quota. Refuse services that the lab does not have."""
    if service not in SERVICES:
        message = f"The request failed because the specified service ({service}) does not exist."
        refuse("NoSuchResourceException", message)
    if own := {"acm": ACM, "ec2": EC2, "elasticloadbalancing": ELB, "route53": ROUTE53}.get(service):
        return [(code, name, value) for code, (name, value) in own.items()]
    return [(each["QuotaCode"], each["QuotaName"], each["Value"]) for each in VPC_DEFAULT_QUOTAS]
