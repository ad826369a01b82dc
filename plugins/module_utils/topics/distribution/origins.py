# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a distribution gets what it does not have: S3 buckets and servers.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import Secrets, fill
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import ORIGIN_ACCESS_CONTROL

ORIGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
ORIGIN_PATH = re.compile(r"(/[^/?#*\s]+)+")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+", re.IGNORECASE)
MOST_ORIGINS = 25

Options = t.Mapping[str, t.Any]


def parse_origins(
    given: t.Sequence[Options], region: str, secrets: Secrets | None, problems: Problems
) -> list[dict[str, t.Any]]:
    """The origins in CloudFront's canonical form, by name, with the secrets in their headers."""
    if not 1 <= len(given) <= MOST_ORIGINS:
        problems.add("origins", f"{len(given)} origins are given", f"give 1 to {MOST_ORIGINS}")
    names: set[str] = set()
    for at, one in enumerate(given):
        if not ORIGIN_NAME.fullmatch(one["name"]):
            problems.add(f"origins[{at}].name", f"'{one['name']}' is no name", "use letters, digits, '.', '_' and '-'")
        if one["name"] in names:
            problems.add(
                f"origins[{at}].name", f"'{one['name']}' is there twice", "give every origin a name of its own"
            )
        names.add(one["name"])
    return [_origin(one, region, secrets, f"origins[{at}]", problems) for at, one in enumerate(given)]


def _origin(one: Options, region: str, secrets: Secrets | None, where: str, problems: Problems) -> dict[str, t.Any]:
    if bool(one["bucket"]) == bool(one["domain"]):
        problems.add(where, "an origin is either a bucket or a domain", "give one of the two")
    if one["path"] and not ORIGIN_PATH.fullmatch(one["path"]):
        problems.add(f"{where}.path", f"'{one['path']}' is no path", "give one like /site, without a slash at its end")
    made = _bucket(one, region, where, problems) if one["bucket"] else _server(one, where, problems)
    headers = [
        {"HeaderName": name, "HeaderValue": fill(str(value), secrets, f"{where}.headers.{name}", problems)}
        for name, value in sorted((one["headers"] or {}).items())
    ]
    return {"Id": one["name"], "OriginPath": one["path"] or "", "CustomHeaders": headers, **made}


def _bucket(one: Options, region: str, where: str, problems: Problems) -> dict[str, t.Any]:
    check_bucket(one["bucket"], problems, f"{where}.bucket")
    if not region:
        problems.add("region", "it is missing, and a bucket's name in DNS has it", "give the bucket's region")
    control = one["origin_access_control"]
    return {
        "DomainName": f"{one['bucket']}.s3.{region}.amazonaws.com",
        "OriginAccessControlId": ORIGIN_ACCESS_CONTROL.ref(control) if control else "",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "CustomOriginConfig": None,
    }


def _server(one: Options, where: str, problems: Problems) -> dict[str, t.Any]:
    domain = one["domain"] or ""
    if not HOST.fullmatch(domain):
        problems.add(f"{where}.domain", f"'{domain}' is no host name", "give one like app.example.org")
    if one["origin_access_control"]:
        problems.add(f"{where}.origin_access_control", "it is for buckets", "leave it out")
    for port in ("http_port", "https_port"):
        if one[port] not in (80, 443) and not 1024 <= one[port] <= 65535:
            problems.add(f"{where}.{port}", f"CloudFront does not use {one[port]}", "give 80, 443 or 1024 to 65535")
    return {
        "DomainName": domain,
        "OriginAccessControlId": "",
        "S3OriginConfig": None,
        "CustomOriginConfig": {
            "HTTPPort": one["http_port"],
            "HTTPSPort": one["https_port"],
            "OriginProtocolPolicy": one["protocol"],
            "OriginSslProtocols": ["TLSv1.2"],
        },
    }
