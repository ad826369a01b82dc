"""The worker that validates and issues certificates: it looks up the records as Amazon's authority does.

https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html and
https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.core.utils import utcnow

from groundwork_lab.aws.acm.state import Certificate, backends, base, validation_record
from groundwork_lab.aws.context import Context, Worker
from groundwork_lab.lookup import Found, MalformedError

GLANCE = 1.0  # seconds between the looks for records
AMAZON = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
KEYS: dict[str, Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]] = {
    "RSA_2048": lambda: rsa.generate_private_key(65537, 2048),
    "EC_prime256v1": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EC_secp384r1": lambda: ec.generate_private_key(ec.SECP384R1()),
}
"""The algorithms of certificates that ACM issues."""

Lookup = Callable[[str, str], Found]
Verdict = Literal["permitted", "forbidden", "unknown"]

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """A certificate that waits for the validation of these names."""

    arn: str
    names: tuple[str, ...]
    algorithm: str


class Judged(NamedTuple):
    """The names that were validated, and what was issued: certificate, chain, key, and why it failed."""

    validated: tuple[str, ...] = ()
    issued: tuple[bytes, bytes, bytes] | None = None
    failure: str = ""


def is_validated(lookup: Lookup, account: str, name: str) -> bool:
    """Return whether the validation record of a name exists, as the resolver finds it."""
    record, value = validation_record(account, name)
    found = _asked(lookup, record.rstrip("."), "CNAME")
    return found is not None and value.rstrip(".") in found.values.get("CNAME", ())


def permits(lookup: Lookup, name: str) -> Verdict:
    """Return whether CAA records permit Amazon to issue a certificate for a name.

    The first name of the tree that has records decides: https://www.rfc-editor.org/rfc/rfc8659#section-3
    """
    labels = base(name).split(".")
    for number in range(len(labels)):
        found = _asked(lookup, ".".join(labels[number:]), "CAA")
        if found is None:
            return "unknown"
        if records := found.values.get("CAA"):
            return "permitted" if _names_amazon(records, wildcard=name.startswith("*.")) else "forbidden"
    return "permitted"


def _asked(lookup: Lookup, name: str, kind: str) -> Found | None:
    """Return the answer, or None if there is none for now."""
    try:
        found = lookup(name, kind)
    except (OSError, MalformedError) as error:
        _log.warning("%s of %s cannot be looked up: %s", kind, name, error)
        return None
    return found if found.code in ("NOERROR", "NXDOMAIN") else None


def _names_amazon(records: Iterable[str], *, wildcard: bool) -> bool:
    parsed = [each.split(" ", 2) for each in records]
    known = {"issue", "issuewild", "iodef", "issuemail", "issuevmc"}
    if any(int(flags) & 128 and tag not in known for flags, tag, _ in parsed):
        return False
    given = {tag: [value for _, each, value in parsed if each == tag] for tag in ("issue", "issuewild")}
    issuers = given["issuewild"] or given["issue"] if wildcard else given["issue"]
    if not issuers:
        return True
    return any(value.partition(";")[0].strip().lower() in AMAZON for value in issuers)


class Issuer(Worker):
    """Validates and issues the pending certificates of all regions."""

    name = "certificates"
    glance = GLANCE

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def pass_once(self) -> None:
        """Do nothing: looking up takes its time, and is done by the thread without the lock."""

    def turn(self) -> bool:
        return self.look()

    def is_due(self, *, busy: bool) -> bool:
        return self._woken and not busy

    def look(self) -> bool:
        """Look for the records of all pending certificates once. Return whether certificates are pending."""
        with self._context.lock:
            wanted = [_wanted(each) for each in self._pending()]
        for each in wanted:
            judged = self._judged(each)
            with self._context.lock:
                changed = [_apply(found, judged) for found in self._pending() if found.arn == each.arn]
            if any(changed):
                self._context.changed()
        return bool(wanted)

    def _pending(self) -> list[Certificate]:
        account = self._context.account
        return [found for each in backends(account) for found in each.certificates.values() if found.pending]

    def _judged(self, wanted: Wanted) -> Judged:
        lookup, authority, account = self._context.lookup, self._context.authority, self._context.account
        if lookup is None or authority is None:
            return Judged()
        validated = tuple(name for name in wanted.names if is_validated(lookup, account, name))
        if len(validated) < len(wanted.names):
            return Judged(validated)
        verdicts = {permits(lookup, name) for name in wanted.names}
        if "forbidden" in verdicts:
            return Judged(validated, failure="CAA_ERROR")
        if "unknown" in verdicts:
            return Judged(validated)
        key = KEYS[wanted.algorithm]()
        certificate = authority.sign(wanted.names, key.public_key())
        encoded = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Judged(validated, (certificate, authority.certificate, encoded))


def _wanted(certificate: Certificate) -> Wanted:
    return Wanted(certificate.arn, tuple(certificate.names), certificate.algorithm)


def _apply(certificate: Certificate, judged: Judged) -> bool:
    """Take over what was found. Return whether the certificate has another state."""
    certificate.validations = {
        name: "SUCCESS" if name in judged.validated else "PENDING_VALIDATION" for name in certificate.names
    }
    if judged.failure:
        certificate.status, certificate.failure = "FAILED", judged.failure
        certificate.validations = dict.fromkeys(certificate.names, "FAILED")
    if judged.issued:
        certificate.cert, certificate.chain, certificate.key = judged.issued
        certificate.status, certificate.issued = "ISSUED", utcnow()
    return not certificate.pending
