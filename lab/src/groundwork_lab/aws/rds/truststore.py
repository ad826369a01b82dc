"""The bundles with the certificate authorities of RDS, which AWS serves at a host of its own.

In the lab they have one authority, that of the lab.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.errors import Answer

DOMAIN = "pki.rds.amazonaws.com"
HOST = f"truststore.{DOMAIN}"
PEM = re.compile(r"/(global/global|([a-z]{2}-[a-z]+-\d)/\2)-bundle\.pem")
FORBIDDEN = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""


def is_asked(environ: Mapping[str, Any]) -> bool:
    """Return whether a request is for the host of the bundles."""
    return str(environ.get("HTTP_HOST", "")).partition(":")[0].lower() == HOST


def answer(environ: Mapping[str, Any], context: Context) -> Answer:
    """Return a bundle, or as AWS does an error of S3 for any other path."""
    reads = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if not reads or not PEM.fullmatch(str(environ.get("PATH_INFO", ""))) or context.authority is None:
        return Answer(403, (("Content-Type", "application/xml"),), FORBIDDEN)
    return Answer(200, (("Content-Type", "binary/octet-stream"),), context.authority.certificate)
