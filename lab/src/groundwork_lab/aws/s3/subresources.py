"""The subresources of buckets and objects: which operation a query means, and which of them the lab has.

moto takes a request with a subresource that it does not know for one without: PutBucketRequestPayment for CreateBucket.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from groundwork_lab.aws.context import refuse

CONFIGURED = frozenset(  # both read and written
    {
        *{"accelerate", "acl", "cors", "encryption", "inventory", "lifecycle", "logging", "notification"},
        *{"object-lock", "ownershipControls", "policy", "publicAccessBlock", "replication", "requestPayment"},
        *{"tagging", "versioning", "website"},
    }
)
ABSENT: Mapping[str, str] = {
    "analytics": "Analytics",
    "intelligent-tiering": "IntelligentTiering",
    "metrics": "Metrics",
}
"""Configurations that are none in the lab, with their names in operations: read, and not written."""

KNOWN: Mapping[tuple[bool, str], frozenset[str]] = {  # by whether the request has a key, and by its method
    (False, "GET"): CONFIGURED | ABSENT.keys() | {"list-type", "location", "policyStatus", "uploads", "versions"},
    (False, "PUT"): CONFIGURED,
    (False, "POST"): frozenset({"delete"}),
    (False, "DELETE"): frozenset(
        {
            *{"cors", "encryption", "inventory", "lifecycle", "ownershipControls", "policy"},
            *{"publicAccessBlock", "replication", "tagging", "website"},
        }
    ),
    (True, "GET"): frozenset({"acl", "attributes", "legal-hold", "retention", "tagging", "uploadId"}),
    (True, "PUT"): frozenset({"acl", "legal-hold", "partNumber", "retention", "tagging", "uploadId"}),
    (True, "POST"): frozenset({"restore", "uploadId", "uploads"}),
    (True, "DELETE"): frozenset({"tagging", "uploadId"}),
}


@cache
def operations() -> Mapping[tuple[bool, str, str], str]:
    """Return the operation by whether the request has a key, by its method, and by a parameter that it must have."""
    model = get_service_model("s3")
    found: dict[tuple[bool, str, str], str] = {}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        for parameter in re.findall(r"[^&=]+(?:=[^&]*)?", query):
            plain = parameter.partition("=")[0]
            if plain != "x-id" and not operation.deprecated:
                found[("{Key" in path, operation.http["method"], plain)] = name
    return found


def operation_of(method: str, key: str, query: Collection[str]) -> Any:
    """Return botocore's model of the operation of a request with a subresource, or None without one.

    Refuse a subresource that the lab does not have. S3 Select "is no longer available to new customers":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/selecting-content-from-objects.html
    """
    place = (bool(key), method)
    for name in query:
        found = operations().get((*place, name))
        if found is None:
            continue
        if found == "SelectObjectContent":
            refuse("MethodNotAllowed", "The specified method is not allowed against this resource.")
        if name not in KNOWN.get(place, frozenset()):
            refuse("NotImplemented", f"The lab does not implement {found}.")
        return get_service_model("s3").operation_model(found)
    return None
