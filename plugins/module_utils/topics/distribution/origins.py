# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The origins of a distribution: S3 buckets and HTTP servers.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Origin.html
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_of
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import Secrets, fill
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import ORIGIN_ACCESS_CONTROL

ORIGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
ORIGIN_PATH = re.compile(r"(/[^/?#*\s]+)+")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+", re.IGNORECASE)
MOST_ORIGINS = 25

Options = t.Mapping[str, t.Any]


def parse_origins(
    given: t.Sequence[Options], region: str, secrets: Secrets | None, problems: Problems
) -> list[dict[str, t.Any]]:
    """Return the origins in canonical form, with the secrets in their headers."""
    if not 1 <= len(given) <= MOST_ORIGINS:
        problems.add("origins", f"contains {len(given)} origins", f"give 1 to {MOST_ORIGINS}")
    names: set[str] = set()
    for at, one in enumerate(given):
        if not ORIGIN_NAME.fullmatch(one["name"]):
            right = "use letters, digits, '.', '_' and '-'"
            problems.add(f"origins[{at}].name", f"'{one['name']}' is not a valid name", right)
        if one["name"] in names:
            problems.add(f"origins[{at}].name", f"'{one['name']}' is used twice", "give each origin a unique name")
        names.add(one["name"])
    return [_origin(one, region, secrets, f"origins[{at}]", problems) for at, one in enumerate(given)]


def _origin(one: Options, region: str, secrets: Secrets | None, where: str, problems: Problems) -> dict[str, t.Any]:
    if bool(one["bucket"]) == bool(one["domain"]):
        problems.add(where, "requires either bucket or domain", "give exactly one of the two")
    if one["path"] and not ORIGIN_PATH.fullmatch(one["path"]):
        right = "give one such as /site, without a trailing slash"
        problems.add(f"{where}.path", f"'{one['path']}' is not a path", right)
    made = _bucket(one, region, where, problems) if one["bucket"] else _server(one, where, problems)
    headers = [
        {"HeaderName": name, "HeaderValue": fill(str(value), secrets, f"{where}.headers.{name}", problems)}
        for name, value in sorted((one["headers"] or {}).items())
    ]
    return {"Id": one["name"], "OriginPath": one["path"] or "", "CustomHeaders": headers, **made}


def _bucket(one: Options, region: str, where: str, problems: Problems) -> dict[str, t.Any]:
    check_bucket(one["bucket"], problems, f"{where}.bucket")
    if not region:
        problems.add("region", "is missing, and the host name of a bucket contains it", "give the bucket's region")
    control = one["origin_access_control"]
    return {
        "DomainName": f"{one['bucket']}.s3.{region}.{partition_of(region).suffix}",
        "OriginAccessControlId": ORIGIN_ACCESS_CONTROL.ref(control) if control else "",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "CustomOriginConfig": None,
    }


def _server(one: Options, where: str, problems: Problems) -> dict[str, t.Any]:
    domain = one["domain"] or ""
    if not HOST.fullmatch(domain) and domain != KNOWN_AFTER_APPLY:
        problems.add(f"{where}.domain", f"'{domain}' is not a host name", "give one such as app.example.org")
    if one["origin_access_control"]:
        problems.add(f"{where}.origin_access_control", "is supported for buckets only", "remove it")
    for port in ("http_port", "https_port"):
        if one[port] not in (80, 443) and not 1024 <= one[port] <= 65535:
            wrong = f"CloudFront does not support the port {one[port]}"
            problems.add(f"{where}.{port}", wrong, "give 80, 443 or 1024 to 65535")
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
