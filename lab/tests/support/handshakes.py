"""Handshakes with openssl, to find out what a server offers."""

from __future__ import annotations

import subprocess


def shake(namespace: str, name: str | None, *options: str) -> subprocess.CompletedProcess[str]:
    """Make a handshake with port 443 of the namespace's loopback, and return what openssl prints."""
    named = ["-servername", name] if name else ["-noservername"]
    argv = ["openssl", "s_client", "-connect", "127.0.0.1:443", *named, *options]
    inside = ["ip", "netns", "exec", namespace]
    return subprocess.run([*inside, *argv], input="", capture_output=True, text=True, check=False, timeout=20)


def ciphers(namespace: str, name: str, version: str) -> list[str]:
    """Return the ciphers that a server accepts with `tls1_2` or `tls1_3`, in its order of preference.

    Each handshake offers all ciphers of OpenSSL that were not accepted yet.
    """
    newest = version == "tls1_3"
    listing = ["openssl", "ciphers", *(["-s", "-tls1_3"] if newest else ["ALL:@SECLEVEL=0"])]
    listed = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.strip().split(":")
    offered = [each for each in listed if each.startswith("TLS_") == newest]
    found: list[str] = []
    while offered:
        words = ":".join(offered if newest else [*offered, "@SECLEVEL=0"])
        shaken = shake(namespace, name, f"-{version}", "-ciphersuites" if newest else "-cipher", words)
        if shaken.returncode != 0:
            break
        chosen = shaken.stdout.partition("Cipher is ")[2].split()[0]
        found.append(chosen)
        offered.remove(chosen)
    return found
