"""Key pairs, by name and by id."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidKeyPairFormatError
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.ec2.utils import public_key_fingerprint

from groundwork_lab.aws.context import refuse


def fingerprint(public_key: Any, hash_constructor: Any) -> str:
    """Return the fingerprint as AWS does: as `ssh-keygen -l` for ED25519, MD5 of the DER form for RSA.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html
    """
    if isinstance(public_key, Ed25519PublicKey):
        blob = public_key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1]
        return base64.b64encode(hashlib.sha256(base64.b64decode(blob)).digest()).decode()
    return str(public_key_fingerprint(public_key, hash_constructor))


class KeysBackend(EC2Backend):
    def import_key_pair(self, key_name: str, public_key_material: bytes, tags: dict[str, str]) -> Any:
        try:
            return super().import_key_pair(key_name, public_key_material, tags)
        except InvalidKeyPairFormatError:
            refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format")

    def delete_key_pair(self, name: str) -> Any:
        deleted = super().delete_key_pair(name)
        if deleted is not None:
            self.forget(deleted.id)
        return deleted

    def key_name_of(self, key_pair_id: str) -> str:
        found = next((each.key_name for each in self.key_pairs.values() if each.id == key_pair_id), None)
        if found is None:
            refuse("InvalidKeyPair.NotFound", f"The key pair '{key_pair_id}' does not exist")
        return str(found)


class KeysResponses(EC2Response):
    """Responses that accept ids of key pairs. moto accepts names only, and ignores ids."""

    def describe_key_pairs(self) -> ActionResult:
        ids = self.params.pop("KeyPairIds", [])
        if ids:
            self.params["KeyNames"] = [self.ec2_backend.key_name_of(each) for each in ids]
        return super().describe_key_pairs()

    def delete_key_pair(self) -> ActionResult:
        key_pair_id = self._get_param("KeyPairId")
        if key_pair_id:
            self.params["KeyName"] = self.ec2_backend.key_name_of(key_pair_id)
        if not self._get_param("KeyName"):
            refuse("MissingParameter", "The request must contain the parameter KeyName or KeyPairId")
        return super().delete_key_pair()
