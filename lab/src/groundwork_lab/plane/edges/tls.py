"""The TLS of an edge: a door for each distribution with a certificate, and one for CloudFront's own. Pure functions.

OpenSSL decides about the protocol and the suites of TLS 1.3 before nginx selects a server by SNI. So a connection is
passed, still encrypted, to a socket that is chosen by the name in its first packet. Each socket has one certificate and
one security policy.
https://nginx.org/en/docs/stream/ngx_stream_ssl_preread_module.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groundwork_lab.model import Certificate, Distribution
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.plane.edges.policies import Config, items
from groundwork_lab.plane.edges.syntax import indented

DEFAULT, DEFAULT_1 = "default", "default-1"  # the doors of CloudFront's own names, the second one without HTTP/2
OWN_POLICY = "TLSv1"  # of CloudFront's own certificate
CURVES = "X25519:prime256v1:secp384r1"
VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
POLICIES = ("TLSv1", "TLSv1_2016", "TLSv1.1_2016", "TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025")
NEWEST = "TLSv1.3_2025"
_ENDS = (  # a cipher, and the last policy that has it
    ("ECDHE-{}-AES128-GCM-SHA256", "TLSv1.2_2025"),
    ("ECDHE-{}-AES128-SHA256", "TLSv1.2_2019"),
    ("ECDHE-{}-AES128-SHA", "TLSv1.1_2016"),
    ("ECDHE-{}-AES256-GCM-SHA384", "TLSv1.2_2025"),
    ("ECDHE-{}-CHACHA20-POLY1305", "TLSv1.2_2021"),
    ("ECDHE-{}-AES256-SHA384", "TLSv1.2_2019"),
    ("ECDHE-{}-AES256-SHA", "TLSv1.1_2016"),
)
_RSA_ENDS = (
    ("AES128-GCM-SHA256", "TLSv1.2_2018"),
    ("AES256-GCM-SHA384", "TLSv1.2_2018"),
    ("AES128-SHA256", "TLSv1.2_2018"),
    ("AES256-SHA", "TLSv1.1_2016"),
    ("AES128-SHA", "TLSv1.1_2016"),
)


@dataclass(frozen=True)
class Door:
    """The TLS of one socket. `chain` and `key` are names of secret files."""

    name: str
    policy: str
    http2: bool
    chain: str
    key: str


def protocols(policy: str) -> Sequence[str]:
    """Return the versions of TLS of a security policy. SSL 3.0 is never among them.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html
    """
    oldest = policy.partition("_")[0]
    return VERSIONS[VERSIONS.index(oldest) :]


def ciphers(policy: str) -> list[str]:
    """Return the ciphers of a security policy for TLS 1.2 and older. OpenSSL has no 3DES, which `TLSv1` has on AWS."""
    if policy == NEWEST:
        return []
    named = [(name.format(kind), last) for kind in ("ECDSA", "RSA") for name, last in _ENDS]
    place = POLICIES.index(policy)
    return [name for name, last in (*named, *_RSA_ENDS) if POLICIES.index(last) >= place]


def suites(policy: str) -> list[str]:
    """Return the ciphers of a security policy for TLS 1.3."""
    both = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    return both if policy == NEWEST else [*both, "TLS_CHACHA20_POLY1305_SHA256"]


def own_doors() -> list[Door]:
    """Return the doors with CloudFront's own certificate."""
    return [Door(name, OWN_POLICY, name == DEFAULT, "certificate.pem", "key.pem") for name in (DEFAULT, DEFAULT_1)]


def door(distribution: Distribution) -> Door | None:
    """Return the door of an enabled distribution with a certificate, or None.

    The names of its files depend on their contents, so that a certificate that is replaced changes the configuration.
    """
    config: Config = distribution.config
    certificate = distribution.certificate
    if certificate is None or not config["Enabled"]:
        return None
    http2 = str(config.get("HttpVersion", "http2")).lower() in {"http2", "http2and3"}
    chain, key = files(certificate)
    return Door(distribution.id, policy_of(config), http2, chain, key)


def policy_of(config: Config) -> str:
    """Return the security policy of a distribution with a certificate."""
    return str((config.get("ViewerCertificate") or {}).get("MinimumProtocolVersion") or OWN_POLICY)


def files(certificate: Certificate) -> dict[str, bytes]:
    """Return the secret files of a certificate by name: its chain, then its key."""
    name = hashlib.sha256(certificate.chain + certificate.key).hexdigest()[:32]
    return {f"{name}.pem": certificate.chain, f"{name}.key": certificate.key}


def stream(distributions: Iterable[Distribution], place: Place) -> list[str]:
    """Return the block that passes the connections to the doors by the name that the client asks for."""
    doors = [(each, door(each)) for each in distributions]
    named = [
        f"{alias.lower()} unix:{place.door(found.name)};"
        for each, found in doors
        if found is not None
        for alias in aliases(each)
    ]
    lines = ["map_hash_bucket_size 256;"]
    for variable, default, listening in (("$door", DEFAULT, place.https), ("$door_1", DEFAULT_1, place.https_1)):
        lines += [
            f"map $ssl_preread_server_name {variable} {{",
            *indented(["hostnames;", f"default unix:{place.door(default)};", *named]),
            "}",
        ]
        lines += ["server {", *indented(_passing(variable, listening)), "}"] if listening else []
    return ["stream {", *indented(lines), "}"]


def _passing(variable: str, listening: Sequence[str]) -> list[str]:
    return [
        *(f"listen {each};" for each in listening),
        "ssl_preread on;",
        "proxy_protocol on;",
        "proxy_timeout 1h;",
        f"proxy_pass {variable};",
    ]


def aliases(distribution: Distribution) -> list[str]:
    config: Config = distribution.config
    return [str(each) for each in items(config.get("Aliases"))]


def listening(doors: Sequence[Door], place: Place) -> list[str]:
    """Return the lines of a server for doors that have the same certificate and security policy."""
    first = doors[0]
    old = [] if VERSIONS.index(protocols(first.policy)[0]) >= VERSIONS.index("TLSv1.2") else ["@SECLEVEL=0"]
    return [
        *(f"listen unix:{place.door(each.name)} ssl{' http2' * each.http2} proxy_protocol;" for each in doors),
        "set_real_ip_from unix:;",
        "real_ip_header proxy_protocol;",
        f"ssl_certificate {place.secret(first.chain)};",
        f"ssl_certificate_key {place.secret(first.key)};",
        f"ssl_protocols {' '.join(protocols(first.policy))};",
        *([f"ssl_ciphers {':'.join([*ciphers(first.policy), *old])};"] if ciphers(first.policy) else []),
        f"ssl_conf_command Ciphersuites {':'.join(suites(first.policy))};",
        f"ssl_ecdh_curve {CURVES};",
        "ssl_prefer_server_ciphers on;",
        f"ssl_session_cache shared:tls-{first.name}:1m;",
    ]
