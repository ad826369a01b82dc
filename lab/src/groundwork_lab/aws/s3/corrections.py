"""S3 put in the place of moto's."""

from __future__ import annotations

from typing import Any

import moto.s3.models
import moto.s3.responses
import moto.s3.urls
import moto.s3.utils
from requests.structures import CaseInsensitiveDict

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.s3.buckets import Bucket, BucketsBackend, policy_is_public
from groundwork_lab.aws.s3.objects import ObjectsBackend


class Backend(BucketsBackend, ObjectsBackend):
    """S3 of the account."""

    context: Context  # of the control plane in use
    _url_module = moto.s3.urls  # moto looks for it beside the class
    SERVICE_NAMESPACE = "s3"


OF_THE_UPLOAD = {"content-md5", "x-amz-content-sha256"}  # moto would give them back with every download
SETTABLE = frozenset(moto.s3.utils.user_settable_fields) - OF_THE_UPLOAD


def metadata_from_headers(headers: Any) -> Any:
    """What of a request's headers (or form's fields) stays with the object. moto's takes a tenth of a PUT's time."""
    kept: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower.startswith("x-amz-meta-"):
            kept[lower] = value[0] if isinstance(value, list) else value
        elif lower in SETTABLE:
            kept[name] = value[0] if isinstance(value, list) else value
    return kept


EXCHANGED: tuple[tuple[Any, str, Any], ...] = (
    (moto.s3.models, "FakeBucket", Bucket),
    (moto.s3.responses, "bucket_policy_is_public", policy_is_public),
    (moto.s3.responses, "metadata_from_headers", metadata_from_headers),
)


def install(context: Context) -> None:
    """Put the corrected classes in; done again for every control plane, which forgets moto's state before."""
    for module, name, replacement in EXCHANGED:
        setattr(module, name, replacement)
    Backend.context = context
    moto.s3.models.s3_backends.backend = Backend


def bucket_of(context: Context, name: str) -> Any:
    """moto's bucket of this name; None when there is none."""
    return moto.s3.models.s3_backends[context.account]["aws"].buckets.get(name)
