from __future__ import annotations

import subprocess
from typing import Any

import pytest
from control_plane import Lab


@pytest.mark.correction(
    "ec2:ImportKeyPair",
    "The fingerprint of an ED25519 key is its SHA-256 digest.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-keys.html",
    also=("public_key_fingerprint",),
)
def test_fingerprints_are_those_of_ssh_keygen(lab: Lab, public_key: bytes) -> None:
    told = lab.ec2.import_key_pair(KeyName="me", PublicKeyMaterial=public_key)["KeyFingerprint"]
    shown = subprocess.run(["ssh-keygen", "-lf", "-"], input=public_key, capture_output=True, check=True).stdout
    assert f"SHA256:{told.rstrip('=')}" == shown.decode().split()[1]


@pytest.mark.correction("ec2:DescribeKeyPairs", "IncludePublicKey adds the public key, and key pairs are found by id.")
@pytest.mark.correction("ec2:DeleteKeyPair", "A key pair can be deleted by its id, which must exist.")
@pytest.mark.correction("ec2:ImportKeyPair", "A key in another format is refused with InvalidKey.Format.")
def test_key_pairs_by_name_and_id(lab: Lab, public_key: bytes, tagged: Any) -> None:
    request = {"KeyName": "me", "PublicKeyMaterial": public_key}
    made = lab.ec2.import_key_pair(**request, TagSpecifications=tagged("key-pair", Name="mine"))
    lab.ec2.create_key_pair(KeyName="other", KeyType="ed25519")
    lab.refused("InvalidKeyPair.Duplicate", lab.ec2.import_key_pair, **request)
    lab.refused("InvalidKey.Format", lab.ec2.import_key_pair, KeyName="bad", PublicKeyMaterial=b"ssh-what")
    describe = lab.ec2.describe_key_pairs
    [found] = describe(KeyPairIds=[made["KeyPairId"]], IncludePublicKey=True)["KeyPairs"]
    assert (found["KeyName"], found["PublicKey"]) == ("me", public_key.decode())
    assert "PublicKey" not in describe(KeyNames=["me"])["KeyPairs"][0]
    [found] = describe(Filters=[{"Name": "tag:Name", "Values": ["mine"]}])["KeyPairs"]
    assert found["KeyPairId"] == made["KeyPairId"]
    lab.ec2.delete_key_pair(KeyPairId=made["KeyPairId"])
    lab.refused("InvalidKeyPair.NotFound", describe, KeyNames=["me"])
    lab.refused("InvalidKeyPair.NotFound", lab.ec2.delete_key_pair, KeyPairId=made["KeyPairId"])
    assert [each["KeyName"] for each in describe()["KeyPairs"]] == ["other"]
