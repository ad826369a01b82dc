"""The security policies of HTTPS listeners. Pure data.

The ciphers are in order of preference. Those for FIPS and RFC 9151 are missing.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT = "ELBSecurityPolicy-2016-08"  # if the API is called without one
_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_PROTOCOLS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def _ephemeral(*names: str) -> tuple[str, ...]:
    return tuple(f"ECDHE-{kind}-{name}" for name in names for kind in ("ECDSA", "RSA"))


_AES128, _AES256 = ("AES128-GCM-SHA256", "AES128-SHA256"), ("AES256-GCM-SHA384", "AES256-SHA384")
_RESTRICTED = _ephemeral(_AES128[0], _AES256[0])
_FORWARD = _ephemeral(*_AES128, *_AES256)
_FORWARD_SHA1 = _ephemeral(*_AES128, "AES128-SHA", *_AES256, "AES256-SHA")
_WITH_RSA = (*_FORWARD, *_AES128, "AES256-GCM-SHA384", "AES256-SHA256")
_ALL = (*_FORWARD_SHA1, *_AES128, "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA")


@dataclass(frozen=True)
class Policy:
    protocols: tuple[str, ...]
    ciphers: tuple[str, ...]


def _policy(oldest: str, newest: str, ciphers: tuple[str, ...]) -> Policy:
    protocols = _PROTOCOLS[_PROTOCOLS.index(oldest) : _PROTOCOLS.index(newest) + 1]
    return Policy(protocols, (*_TLS13, *ciphers) if newest == "TLSv1.3" else ciphers)


def _tls13(oldest: str, ciphers: tuple[str, ...]) -> Policy:
    return _policy(oldest, "TLSv1.3", ciphers)


_NEWEST = {  # by the part of the name that is common to 2021-06 and PQ-2025-09
    "1-3": _tls13("TLSv1.3", ()),
    "1-2-Res": _tls13("TLSv1.2", _RESTRICTED),
    "1-2": _tls13("TLSv1.2", _FORWARD),
    "1-2-Ext1": _tls13("TLSv1.2", _WITH_RSA),
    "1-2-Ext2": _tls13("TLSv1.2", _ALL),
    "1-1": _tls13("TLSv1.1", _ALL),
    "1-0": _tls13("TLSv1", _ALL),
}
POLICIES: Mapping[str, Policy] = {
    **{f"ELBSecurityPolicy-TLS13-{name}-PQ-2025-09": policy for name, policy in _NEWEST.items() if name != "1-1"},
    **{f"ELBSecurityPolicy-TLS13-{name}-2021-06": policy for name, policy in _NEWEST.items()},
    "ELBSecurityPolicy-TLS-1-2-Ext-2018-06": _policy("TLSv1.2", "TLSv1.2", _ALL),
    "ELBSecurityPolicy-TLS-1-2-2017-01": _policy("TLSv1.2", "TLSv1.2", _WITH_RSA),
    "ELBSecurityPolicy-TLS-1-1-2017-01": _policy("TLSv1.1", "TLSv1.2", _ALL),
    DEFAULT: _policy("TLSv1", "TLSv1.2", _ALL),
    "ELBSecurityPolicy-FS-1-2-Res-2020-10": _policy("TLSv1.2", "TLSv1.2", _RESTRICTED),
    "ELBSecurityPolicy-FS-1-2-Res-2019-08": _policy("TLSv1.2", "TLSv1.2", _FORWARD),
    "ELBSecurityPolicy-FS-1-2-2019-08": _policy("TLSv1.2", "TLSv1.2", _FORWARD_SHA1),
    "ELBSecurityPolicy-FS-1-1-2019-08": _policy("TLSv1.1", "TLSv1.2", _FORWARD_SHA1),
    "ELBSecurityPolicy-FS-2018-06": _policy("TLSv1", "TLSv1.2", _FORWARD_SHA1),
}


def described(name: str) -> dict[str, object]:
    """Return a policy as DescribeSSLPolicies does."""
    policy = POLICIES[name]
    return {
        "Name": name,
        "SslProtocols": list(policy.protocols),
        "Ciphers": [{"Name": each, "Priority": place} for place, each in enumerate(policy.ciphers, start=1)],
        "SupportedLoadBalancerTypes": ["application", "network"],
    }
