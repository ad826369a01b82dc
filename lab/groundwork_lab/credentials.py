"""The temporary credentials of an instance's role: the metadata service hands them out, the API knows whose they are.

The lab checks no signatures, so a key only has to tell instance and role. It follows from them, and nothing is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    token: str


def of_instance(instance_id: str, role: str) -> Credentials:
    """Temporary keys begin with ASIA: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
    digest = hashlib.sha256(f"{instance_id} {role}".encode()).hexdigest()
    return Credentials(f"ASIA{digest[:16].upper()}", digest[:40], digest)
