"""The credentials of the lab's user and of an instance's role. The metadata service returns the latter.

The lab does not check signatures, so a key only identifies its owner. An instance's keys are derived from the instance
and its role. They are not stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

USER = "lab"  # the IAM user that has the key
ACCESS_KEY = "AKIAGROUNDWORKLAB000"  # AWS has no keys in this format
SECRET_KEY = "groundwork-lab-secret-of-nothing-at-all"  # noqa: S105 (not a secret: the lab does not check it)


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    token: str


def of_instance(instance_id: str, role: str) -> Credentials:
    """Return the temporary keys of an instance's role. They begin with ASIA.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    digest = hashlib.sha256(f"{instance_id} {role}".encode()).hexdigest()
    return Credentials(f"ASIA{digest[:16].upper()}", digest[:40], digest)
