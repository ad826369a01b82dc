"""Ids and versions of CloudFront's resources. An update must send the ETag of the current version."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from groundwork_lab.aws.context import refuse

_LETTERS = string.ascii_uppercase + string.digits


def new_id(prefix: str = "E", length: int = 14) -> str:
    """Return an id in CloudFront's format: `E2QWRUHAPOMQZL`. ETags have the same format."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length - len(prefix)))


def new_domain() -> str:
    """Return a new domain name for a distribution: `d111111abcdef8.cloudfront.net`."""
    return "d" + new_id("", 13).lower() + ".cloudfront.net"


def check_version(etag: str, if_match: str | None) -> None:
    """Refuse a change that is not based on the version `etag`.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html#API_UpdateDistribution_Errors
    """
    if not if_match:
        refuse("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if if_match != etag:
        refuse(
            "PreconditionFailed",
            "The request failed because it didn't meet the preconditions in one or more request-header fields.",
        )


@dataclass
class Kept:
    """A resource. Its configuration is replaced as a whole and never changed in place, so that it can be shared."""

    id: str
    config: dict[str, Any]
    etag: str = field(default_factory=new_id)
    modified: datetime = field(default_factory=utcnow)

    def check(self, if_match: str | None) -> None:
        """Refuse a change that is not based on the current version."""
        check_version(self.etag, if_match)

    def replace(self, config: dict[str, Any]) -> None:
        """Replace the configuration. This makes a new version."""
        self.config = config
        self.etag = new_id()
        self.modified = utcnow()
