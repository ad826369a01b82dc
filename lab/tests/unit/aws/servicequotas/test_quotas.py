from __future__ import annotations

import pytest
from control_plane import Lab

QUOTAS = [("ec2", "L-1216C47A"), ("ec2", "L-0263D0A3"), ("vpc", "L-F678F1CE"), ("vpc", "L-FE5A380F")]
QUOTAS += [("vpc", "L-2AFB9258"), ("elasticloadbalancing", "L-B6DF7632"), ("elasticloadbalancing", "L-7EED9B64")]
QUOTAS += [("acm", "L-F141DD1D"), ("acm", "L-FB94F0B0"), ("route53", "L-4EA4796A")]


@pytest.mark.correction(
    "service-quotas:GetServiceQuota",
    "EC2 has quotas too, and the ARN of a quota has the region and the account.",
    page="https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html",
    also=("QuotasBackend.list_aws_default_service_quotas",),
)
@pytest.mark.parametrize(("service", "code"), QUOTAS)
def test_quotas_of_a_service(lab: Lab, service: str, code: str) -> None:
    quotas = lab.client("service-quotas")
    quota = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
    assert quota["QuotaArn"] == f"arn:aws:servicequotas:eu-central-1:123456789012:{service}/{code}"
    told = quotas.list_aws_default_service_quotas(ServiceCode=service)["Quotas"]
    default = {each["QuotaCode"]: each["Value"] for each in told}
    assert quota["Value"] >= default[code] > 0


def test_an_unknown_quota(lab: Lab) -> None:
    quotas = lab.client("service-quotas")
    for service, code in (("ec2", "L-00000000"), ("moon", "L-1216C47A")):
        lab.refused("NoSuchResourceException", quotas.get_service_quota, ServiceCode=service, QuotaCode=code)
