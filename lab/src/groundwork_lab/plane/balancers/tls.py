"""The TLS of HTTPS listeners in HAProxy's configuration: certificates by SNI, protocols and ciphers. Pure functions.

HAProxy selects as a load balancer does: among the certificates of the list that cover the name, it prefers ECDSA keys
if the client supports them, then the first one in the file. Without one, the default certificate is used.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html and
https://docs.haproxy.org/2.6/configuration.html#5.1-crt-list
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from groundwork_lab.model import Certificate, Listener, ListenerTls, LoadBalancer

FOLDER = "tls"
CURVES = "X25519:P-256:P-384"  # OpenSSL 3.0 has none of the post-quantum groups
OLD = ("TLSv1", "TLSv1.1")  # OpenSSL offers them at security level 0 only


def files(balancer: LoadBalancer, folder: Path) -> dict[str, bytes]:
    """Return the secret files of a node by name: the certificates with their keys, and a list for each listener.

    The names depend on the contents, so that a certificate that is replaced changes the configuration.
    """
    found: dict[str, bytes] = {}
    for listener in balancer.listeners:
        if listener.tls is not None:
            found |= {_pem(each): each.chain + each.key for each in (listener.tls.default, *listener.tls.certificates)}
            content = _list(listener.tls, folder)
            found[_list_name(content)] = content
    return found


def bind(balancer: LoadBalancer, listener: Listener, folder: Path) -> str:
    """Return the words of the listener's `bind` line after the address."""
    tls = listener.tls
    if tls is None:
        return ""
    ciphers = [each for each in tls.ciphers if not each.startswith("TLS_")]
    level = ["@SECLEVEL=0"] if tls.protocols[0] in OLD else []
    newest = [each for each in tls.ciphers if each.startswith("TLS_")]
    http2 = balancer.attributes.get("routing.http2.enabled", "true") == "true"
    words = [
        f" ssl crt-list {folder / _list_name(_list(tls, folder))}",
        f"ssl-min-ver {_version(tls.protocols[0])} ssl-max-ver {_version(tls.protocols[-1])}",
        *([f"ciphers {':'.join(ciphers + level)}"] if ciphers else []),
        *([f"ciphersuites {':'.join(newest)}"] if newest else []),
        f"curves {CURVES}",
        f"alpn {'h2,' if http2 else ''}http/1.1",
    ]
    return " ".join(words)


def told(balancer: LoadBalancer, listener: Listener) -> list[str]:
    """Return the lines that tell the target the protocol and the cipher of the client's connection.

    They precede the hand-over of a request from a replaced worker, whose successor does not know the connection.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    """
    switch = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
    if listener.tls is None or balancer.attributes.get(switch) != "true":
        return []
    headers = {"version": "%[ssl_fc_protocol]", "cipher_suite": "%[ssl_fc_cipher]"}
    usual = {"version": "X-Amzn-Tls-Version", "cipher_suite": "X-Amzn-Tls-Cipher-Suite"}
    return [
        f"http-request set-header {_named(listener, key, usual[key])} {value} if {{ ssl_fc }}"
        for key, value in headers.items()
    ]


def _named(listener: Listener, key: str, usual: str) -> str:
    return listener.attributes.get(f"routing.http.request.x_amzn_tls_{key}.header_name") or usual


def _version(protocol: str) -> str:
    return "TLSv1.0" if protocol == "TLSv1" else protocol


def _list(tls: ListenerTls, folder: Path) -> bytes:
    """Return the file with the certificates. The first one is the default, and `!*` excludes it from the selection."""
    lines = [f"{folder / _pem(tls.default)} !*", *(str(folder / _pem(each)) for each in _in_order(tls.certificates))]
    return "".join(f"{line}\n" for line in lines).encode()


def _in_order(certificates: tuple[Certificate, ...]) -> list[Certificate]:
    return sorted(certificates, key=lambda each: _rank(x509.load_pem_x509_certificate(each.chain)))


def _rank(certificate: x509.Certificate) -> tuple[bool, int, float]:
    """Return the sort key of a certificate among those with the same kind of key: hash, key length, validity."""
    key = certificate.public_key()
    size = key.key_size if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) else 0
    validity = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return isinstance(certificate.signature_hash_algorithm, hashes.MD5), -size, -validity.total_seconds()


def _pem(certificate: Certificate) -> str:
    return f"{FOLDER}/{hashlib.sha256(certificate.chain + certificate.key).hexdigest()[:32]}.pem"


def _list_name(content: bytes) -> str:
    return f"{FOLDER}/{hashlib.sha256(content).hexdigest()[:32]}.list"
