"""The configuration of Unbound and Knot. Pure functions.

Sources: unbound.conf(5), knot.conf(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from groundwork_lab.plane.names.records import TRUST_STORE_NAME, endpoints
from groundwork_lab.plane.names.zones import TTL, local_domains
from groundwork_lab.settings import PARENT, REGISTRY, RESOLVER, TRUSTSTORE, UPSTREAM


def resolver(folder: Path, global_endpoints: Iterable[str]) -> str:
    """Return the configuration of Unbound: the lab's own names, the registry's domain, and the machine's resolver.

    Answers that a name does not exist are kept for one second, so that a name can be looked up before it exists.
    """
    return "\n".join([*_server(folder, global_endpoints), *_control(folder), *_zones(folder), ""])


def _server(folder: Path, global_endpoints: Iterable[str]) -> list[str]:
    own = [*endpoints(global_endpoints), (TRUST_STORE_NAME, TRUSTSTORE)]
    return [
        "server:",
        f"  interface: {RESOLVER}",
        "  access-control: 0.0.0.0/0 allow",
        "  do-ip6: no",
        '  username: ""',  # it reads only its own folder, which belongs to root
        '  chroot: ""',
        f'  directory: "{folder}"',
        '  pidfile: ""',
        "  use-syslog: no",
        '  logfile: ""',
        '  module-config: "iterator"',
        "  cache-max-negative-ttl: 1",
        "  prefetch: no",
        # Answered from the zones: not by the redirect of a domain above, nor by what Unbound has for reserved names.
        *(f'  local-zone: "{domain}." transparent' for domain in (REGISTRY, *local_domains())),
        *(line for domain, address in own for line in _endpoint(domain, address)),
    ]


def _endpoint(domain: str, address: IPv4Address) -> list[str]:
    return [f'  local-zone: "{domain}." redirect', f'  local-data: "{domain}. {TTL} A {address}"']


def _control(folder: Path) -> list[str]:
    return [
        "remote-control:",
        "  control-enable: yes",
        f'  control-interface: "{folder / "control"}"',
        "  control-use-cert: no",
    ]


def _zones(folder: Path) -> list[str]:
    own = [
        line
        for domain in local_domains()
        for line in (
            "auth-zone:",
            f'  name: "{domain}."',
            f'  zonefile: "{folder / domain}.zone"',
            "  for-downstream: yes",
            "  for-upstream: yes",
        )
    ]
    parent = ["stub-zone:", f'  name: "{REGISTRY}."', f"  stub-addr: {PARENT}"]
    return [*own, *parent, "forward-zone:", '  name: "."', f"  forward-addr: {UPSTREAM}"]


def name_server(folder: Path, address: IPv4Address, zones: Mapping[str, Path]) -> str:
    """Return the configuration of Knot that serves these zones (by name, with the final dot) at the address."""
    return "\n".join(
        [
            "server:",
            f'  rundir: "{folder}"',
            f'  listen: "{address}@53"',
            "  udp-workers: 1",
            "  tcp-workers: 1",
            "  background-workers: 1",
            "control:",
            f'  listen: "{folder / "control"}"',
            "database:",
            f'  storage: "{folder / "db"}"',
            "log:",
            "  - target: stderr",
            "    any: warning",
            "template:",
            "  - id: default",
            "    zonefile-load: whole",
            "    zonefile-sync: -1",
            "    journal-content: none",
            "    semantic-checks: soft",
            *(["zone:"] if zones else []),
            *(
                line
                for name, file in sorted(zones.items())
                for line in (f'  - domain: "{name}"', f'    file: "{file}"')
            ),
            "",
        ]
    )


def resolv_conf() -> str:
    return f"nameserver {RESOLVER}\noptions timeout:2 attempts:3\n"


def nsswitch(machines: str) -> str:
    """Return the machine's nsswitch.conf with host lookup by DNS only: `resolve` or `mymachines` would bypass it."""
    lines = [line for line in machines.splitlines() if not line.startswith("hosts:")]
    return "\n".join([*lines, "hosts: files dns", ""])
