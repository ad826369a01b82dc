"""The credentials of the lab's user, and of an instance's role: the metadata service hands those out.

The lab checks no signatures, so a key only has to tell whose it is. An instance's follows from the instance and its
role, and nothing is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ACCESS_KEY = "AKIAGROUNDWORKLAB000"  # AWS has none of this form
SECRET_KEY = "groundwork-lab-secret-of-nothing-at-all"  # noqa: S105 (opens nothing: the lab does not check it)


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    token: str


def of_instance(instance_id: str, role: str) -> Credentials:
    """Temporary keys begin with ASIA: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
    digest = hashlib.sha256(f"{instance_id} {role}".encode()).hexdigest()
    return Credentials(f"ASIA{digest[:16].upper()}", digest[:40], digest)
