# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates, security policies and HSTS of HTTPS listeners.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    ACM_CERTIFICATE_ARN,
    SERVER_CERTIFICATE_ARN,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY

Options = t.Mapping[str, t.Any]

HTTPS = "HTTPS"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
POLICY = re.compile(r"ELBSecurityPolicy-[A-Za-z0-9-]+")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
MOST_BESIDE = 25
LONGEST_AGE = 63072000  # two years
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
HSTS = "routing.http.response.strict_transport_security.header_value"


def parse_certificates(listener: Options, where: str, region: str, problems: Problems) -> tuple[str, ...]:
    """Return the ARNs of a listener's certificates. Add to `problems` what is wrong with them."""
    arns = [str(arn) for arn in listener["certificates"]]
    place = f"{where}.certificates"
    if listener["protocol"] != HTTPS:
        if arns:
            problems.add(place, "a listener with the protocol HTTP has no certificates", "set protocol to HTTPS")
        return ()
    if not arns:
        right = "give the ARN of a certificate, or use alb_names with dns_zone in place of this listener"
        problems.add(place, "is empty, and a listener with the protocol HTTPS needs a certificate", right)
    if len(arns) > MOST_BESIDE + 1:
        problems.add(place, f"{len(arns)} certificates are too many", f"use at most {MOST_BESIDE + 1}")
    for at, arn in enumerate(arns):
        _check_arn(arn, f"{place}[{at}]", region, problems)
        if arn in arns[:at] and arn != KNOWN_AFTER_APPLY:
            problems.add(f"{place}[{at}]", f"{arn} is used twice", "use it once")
    return tuple(arns)


def _check_arn(arn: str, where: str, region: str, problems: Problems) -> None:
    match = ACM_CERTIFICATE_ARN.fullmatch(arn)
    if not match and not SERVER_CERTIFICATE_ARN.fullmatch(arn) and arn != KNOWN_AFTER_APPLY:
        right = "give one such as arn:aws:acm:<region>:<account>:certificate/<id>"
        problems.add(where, f"'{arn}' is not the ARN of a certificate", right)
    elif match and region and match["region"] != region:
        wrong = f"the certificate is in {match['region']}, and the load balancer in {region}"
        problems.add(where, wrong, f"give a certificate in {region}")


def parse_policy(listener: Options, where: str, problems: Problems) -> str:
    """Return the security policy, or "" for HTTP. Add to `problems` what is not one."""
    if listener["protocol"] != HTTPS:
        return ""
    policy = str(listener["tls_policy"])
    if not POLICY.fullmatch(policy):
        right = "give one such as ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
        problems.add(f"{where}.tls_policy", f"'{policy}' is not the name of a security policy", right)
    return policy


def parse_hsts(listener: Options, where: str, problems: Problems) -> int:
    """Return the max-age of HSTS. Add to `problems` what is wrong with it."""
    age = int(listener["hsts"])
    check_range(f"{where}.hsts", age, 0, LONGEST_AGE, problems)
    if age and listener["protocol"] != HTTPS:
        problems.add(f"{where}.hsts", "browsers ignore HSTS over HTTP", "set it at the HTTPS listener")
    return age


def hsts_header(age: int) -> str:
    """Return the value of the header Strict-Transport-Security, or "" for none."""
    return f"max-age={age}" if age else ""
