"""Public keys are found in text, and only whole ones."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey, find_public_key

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"
ECDSA = (
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFSMqzJeV9rUzU4kWitGjeR4PWSa29SPqJ1fVkhtj3Hw9xjLVXVYrU9QlYWrO"
    "LXBpQ6KWjbjTDTdDkoohFzgbEY="
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"ssh-ed25519 {ED25519}", ("ssh-ed25519", ED25519)),
        (f"ssh-ed25519 {ED25519} someone@somewhere\n", ("ssh-ed25519", ED25519)),
        (f"i-0123 ssh-ed25519 {ED25519} public-1", ("ssh-ed25519", ED25519)),
        (f"\x1b[0mec2: ecdsa-sha2-nistp256 {ECDSA} root@host\r", ("ecdsa-sha2-nistp256", ECDSA)),
        ("", None),
        ("ssh-ed25519", None),
        ("ssh-ed25519 [    4.2] systemd: started", None),
        (f"ssh-ed25519 {ED25519[:-8]}", None),  # cut
        (f"ssh-ed25519 {ED25519[:-8]}[ 4.2]", None),  # cut by a kernel message
        (f"ssh-rsa {ED25519}", None),  # another type inside
        (f"ssh-ed25519 {ED25519}AAAA", None),  # something behind the last field
        (f"ssh-dss {ED25519}", None),
    ],
)
def test_find(text: str, found: tuple[str, str] | None) -> None:
    assert find_public_key(text) == (PublicKey(*found) if found else None)
