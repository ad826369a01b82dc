"""Public keys are found in text, and only whole ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import (
    PublicKey,
    find_public_key,
    public_half,
)

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


@pytest.mark.parametrize("words", [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa"]], ids=lambda words: words[0])
@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_private_key_has_its_public_half(tmp_path: Path, words: list[str], passphrase: str) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", *words, "-N", passphrase, "-C", "me", "-f", str(path)], check=True)
    text = path.read_text()
    public = find_public_key(path.with_name("key.pub").read_text())
    assert public is not None
    assert public_half(text) == public
    assert public_half(f"{text}\n") == public
    lines = text.splitlines(keepends=True)
    damaged = ["", "".join(lines[:-1]), lines[0] + lines[-1], "".join([lines[0], "AAAA\n", *lines[1:]])]
    assert [public_half(one) for one in damaged] == [None] * len(damaged)
