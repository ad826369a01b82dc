"""Running a program on the lab's internet, with the lab's network, names, endpoint and credentials.

The program gets a network namespace of the lab and its own mount namespace. There, /etc/resolv.conf contains the lab's
resolver, and the trust store contains the lab's authority in addition to the machine's. The program replaces the
calling process, so that it has the same terminal, signals, folder and exit code. The files of the machine are not
changed.

`python -m groundwork_lab.laptop PART PROGRAM…` does the same without endpoint and credentials, for those daemons of the
lab that look up names.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from groundwork_lab.credentials import ACCESS_KEY, SECRET_KEY
from groundwork_lab.processes import enter_namespace
from groundwork_lab.settings import API, REGION, REGISTRY, S3, TRUST_STORE, Settings, from_environment
from groundwork_lab.undo import MNT_DETACH, mounts_below, umount

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_SLAVE = 4096, 16384, 1 << 19

# These variables would direct a client to a real account, or past the lab's endpoint.
FOREIGN = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_URL",
    "EC2_URL",
)

# The trust stores of clients that do not use the machine's: OpenSSL and Go, requests, curl, botocore, Node.js.
TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")

_libc = ctypes.CDLL(None, use_errno=True)


def environment(settings: Settings, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program on the lab's internet.

    boto3, aws-cli, Terraform and the modules and inventory of amazon.aws use AWS_ENDPOINT_URL and its variant for one
    service. (amazon.aws leaves `endpoint_url` to botocore if it is not given.) AWS_URL stays unset, because amazon.aws
    would pass it to all clients, and S3 has another endpoint. s5cmd has its own variable. Programs that are installed
    beside the lab come first in PATH, also if its virtual environment is not active.
    Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in FOREIGN and not name.startswith("AWS_ENDPOINT_URL_")
    }
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:{inherited.get('PATH', os.defpath)}",
        "GROUNDWORK_LAB": settings.name,
        "AWS_ENDPOINT_URL": f"http://{API}",
        "AWS_ENDPOINT_URL_S3": f"http://{S3}",
        "S3_ENDPOINT_URL": f"http://{S3}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",  # a laptop has no metadata service, so clients must not wait for it
        **{name: str(settings.bundle) for name in TRUST},
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **_direct(inherited),
    }


def _direct(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that exclude the lab's addresses, its domains and AWS' names from the machine's proxy."""
    before = inherited.get("no_proxy") or inherited.get("NO_PROXY") or ""
    direct = ",".join(filter(None, [before, str(API), str(S3), ".amazonaws.com", ".cloudfront.net", f".{REGISTRY}"]))
    return {"no_proxy": direct, "NO_PROXY": direct}


def resolver_files(settings: Settings) -> dict[str, Path]:
    """Return the lab's files for name resolution, by the path of the file that they replace."""
    return {
        "/etc/resolv.conf": settings.state / "names" / "resolv.conf",
        "/etc/nsswitch.conf": settings.state / "names" / "nsswitch.conf",
    }


def enter(settings: Settings, part: str) -> None:
    """Move this process, which must have one thread, to the lab's internet with the lab's names.

    Raise OSError if it does not run as root or the lab is not up.
    """
    enter_namespace(settings.namespace(part))
    _call(_libc.unshare(CLONE_NEWNS), "unshare")
    # Later mounts and unmounts of the machine are visible here; mounts made here are not visible to the machine.
    _call(_libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None), "/")
    for covered, ours in resolver_files(settings).items():
        _cover(covered, ours)
    if TRUST_STORE.exists():
        _cover(str(TRUST_STORE), settings.bundle)
    _let_go_of_disks(settings)


def _cover(covered: str, ours: Path) -> None:
    place = os.path.realpath(covered)  # with systemd-resolved, resolv.conf is a link
    if not Path(place).exists():
        message = f"{covered} does not exist on this machine, so it cannot be replaced"
        raise OSError(2, message, covered)
    _call(_libc.mount(os.fsencode(ours), os.fsencode(place), None, MS_BIND, None), covered)


def _let_go_of_disks(settings: Settings) -> None:
    """Unmount the copies of all hosts' disks in this namespace, so that an open shell does not keep a disk busy."""
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    for point in mounts_below(str(settings.state.parent), table):
        umount(point, MNT_DETACH)


def _call(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), what)


def argv_inside(part: str, argv: Sequence[str]) -> list[str]:
    """Return the command line that runs `argv` in the lab's namespace `part` with the lab's names."""
    return [sys.executable, "-m", "groundwork_lab.laptop", part, *argv]


if __name__ == "__main__":
    enter(from_environment(), sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 (no shell is needed: this is an argv)
