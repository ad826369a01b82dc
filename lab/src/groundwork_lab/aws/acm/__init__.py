"""Certificate Manager: certificates that are validated by DNS and issued by the lab's authority, and imported ones.

The state and its rules are the lab's own. https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from groundwork_lab.aws.services import Service

SERVICE = Service(client="acm", protocol="json")


def material(account: str, arn: str) -> tuple[bytes, bytes, bytes]:
    """Return an issued certificate, its chain and its private key as PEM. The caller holds the context's lock.

    Raise LookupError if the certificate does not exist or is not issued.
    """
    from groundwork_lab.aws.acm import state  # noqa: PLC0415 - moto takes a second

    found = state.find(account, arn)
    if found is None or found.status != "ISSUED":
        message = f"The certificate {arn} does not exist or is not issued."
        raise LookupError(message)
    return found.cert, found.chain, found.key
