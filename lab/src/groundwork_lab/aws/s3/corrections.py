"""S3's corrections."""

from __future__ import annotations

from typing import Any

import moto.s3.models
import moto.s3.responses
import moto.s3.urls
import moto.s3.utils
from requests.structures import CaseInsensitiveDict

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Corrections, Exchange
from groundwork_lab.aws.s3.application import Responses
from groundwork_lab.aws.s3.buckets import Bucket, BucketsBackend, policy_is_public
from groundwork_lab.aws.s3.objects import ObjectsBackend


class Backend(BucketsBackend, ObjectsBackend):
    """The account's S3."""

    context: Context  # set by `install`
    _url_module = moto.s3.urls  # moto looks it up beside the class
    SERVICE_NAMESPACE = "s3"


OF_THE_UPLOAD = {"content-md5", "x-amz-content-sha256"}  # moto would return them with each download
SETTABLE = frozenset(moto.s3.utils.user_settable_fields) - OF_THE_UPLOAD


def metadata_from_headers(headers: Any) -> Any:
    """Return the request's headers (or form fields) to keep with the object. moto's takes a tenth of a PUT's time."""
    kept: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in headers.items():
        lower = name.lower()
        if lower.startswith("x-amz-meta-"):
            kept[lower] = value[0] if isinstance(value, list) else value
        elif lower in SETTABLE:
            kept[name] = value[0] if isinstance(value, list) else value
    return kept


EXCHANGED: tuple[Exchange, ...] = (
    (moto.s3.models, "FakeBucket", Bucket),
    (moto.s3.responses, "bucket_policy_is_public", policy_is_public),
    (moto.s3.responses, "metadata_from_headers", metadata_from_headers),
)


CORRECTIONS = Corrections(
    registry=moto.s3.models.s3_backends, backend=Backend, exchanged=EXCHANGED, application=Responses.application
)


def bucket_of(context: Context, name: str) -> Any:
    """Return moto's bucket with this name, or None."""
    return moto.s3.models.s3_backends[context.account]["aws"].buckets.get(name)
