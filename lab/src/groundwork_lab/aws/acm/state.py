"""The state of Certificate Manager."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import moto.acm.models
import moto.acm.urls
from cryptography import x509
from moto.acm.models import AWSCertificateManagerBackend
from moto.core.resource_tagging import TaggedResource
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import Context

Status = Literal["PENDING_VALIDATION", "ISSUED", "EXPIRED", "VALIDATION_TIMED_OUT", "FAILED"]
Validation = Literal["PENDING_VALIDATION", "SUCCESS", "FAILED"]

TIMEOUT = timedelta(hours=72)
RECORD_AFTER = 1.0  # seconds after a request until DescribeCertificate has the validation records
CONSONANTS = "bcdfghjklmnpqrstvwxyz"


@dataclass
class Certificate:
    """A certificate. `cert`, `chain` and `key` are PEM, and empty until it is issued, as in moto's class."""

    arn: str
    names: list[str]  # the domain name first
    type: Literal["AMAZON_ISSUED", "IMPORTED"]
    algorithm: str
    status: Status = "PENDING_VALIDATION"
    cert: bytes = b""
    chain: bytes = b""
    key: bytes = b""
    token: str | None = None
    requested: float = 0.0  # by the context's clock
    created: datetime = field(default_factory=utcnow)
    issued: datetime | None = None
    failure: str = ""
    validations: dict[str, Validation] = field(default_factory=dict)  # by name
    transparency: str = "ENABLED"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        return self.names[0]

    @property
    def parsed(self) -> x509.Certificate | None:
        return x509.load_pem_x509_certificate(self.cert) if self.cert else None

    @property
    def pending(self) -> bool:
        return self.status == "PENDING_VALIDATION"


def base(name: str) -> str:
    """Return the name that is validated: a wildcard is validated with the name below it."""
    return name.removeprefix("*.")


def validation_record(account: str, name: str) -> tuple[str, str]:
    """Return name and value of the CNAME that validates a name. It is the same for all certificates of an account.

    https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
    """
    digest = hashlib.sha256(f"{account}/{base(name)}".encode()).hexdigest()
    letters = "".join(CONSONANTS[byte % len(CONSONANTS)] for byte in hashlib.sha256(digest.encode()).digest()[:10])
    return f"_{digest[:32]}.{base(name)}.", f"_{digest[32:]}.{letters}.acm-validations.aws."


class Backend(AWSCertificateManagerBackend):
    """Certificate Manager in one region."""

    context: Context  # set by `install`
    _url_module = moto.acm.urls  # moto looks it up beside the class
    SERVICE_NAMESPACE = "acm"
    _certificates: dict[str, Certificate]

    def new_arn(self) -> str:
        return f"arn:{self.partition}:acm:{self.region_name}:{self.account_id}:certificate/{mock_random.uuid4()}"

    @property
    def certificates(self) -> dict[str, Certificate]:
        """Return the certificates by ARN, with their present status."""
        now = self.context.clock()
        for each in self._certificates.values():
            parsed = each.parsed
            if each.pending and now - each.requested > TIMEOUT.total_seconds():
                each.status = "VALIDATION_TIMED_OUT"
                each.validations = dict.fromkeys(each.validations, "FAILED")
            elif each.status == "ISSUED" and parsed is not None and parsed.not_valid_after_utc < datetime.now(UTC):
                each.status = "EXPIRED"
        return self._certificates

    def import_certificate(
        self, certificate: bytes, private_key: bytes, chain: bytes | None, arn: str | None, tags: Any
    ) -> str:
        """Import a certificate, in place of the one with the ARN. Return its ARN."""
        from groundwork_lab.aws.acm.importing import Given, imported  # noqa: PLC0415 - it needs this class

        return imported(self, Given(certificate, private_key, chain), arn, tags or ())

    # the tagging API

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        for each in self._certificates.values():
            yield TaggedResource(arn=each.arn, tags=each.tags, resource_type="acm:certificate")

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self._certificates[arn].tags.update(tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        for key in tag_keys:
            self._certificates[arn].tags.pop(key, None)


def backends(account: str) -> list[Backend]:
    """Return the backends of all regions that were used."""
    return [each for each in moto.acm.models.acm_backends[account].values() if isinstance(each, Backend)]


def find(account: str, arn: str) -> Certificate | None:
    """Return the certificate with this ARN, or None."""
    return next((each.certificates[arn] for each in backends(account) if arn in each._certificates), None)
