"""The base images: the content of Debian's AMIs for EC2. They are the read-only lower layers of the instances' disks.

Source: Debian's cloud images, https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm .
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from groundwork_lab.plane.hosts import apt
from groundwork_lab.plane.hosts.roots import LEFTOVERS, Recipe, ensure_root
from groundwork_lab.settings import Settings

DEFAULT = 12  # the version that `up` builds; others are built when their first instance is launched
SUITES = {12: "bookworm", 13: "trixie"}  # by the version of Debian
PYTHONS = {12: "3.11", 13: "3.13"}

PACKAGES = (
    "ca-certificates",
    "cloud-init",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "less",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
)

# Debian's list, without the modules of cloud-init for partitions and boot loaders, which a host does not have, and
# without `locale`, which calls update-locale and fails if no locale was generated.
CLOUD_CONFIG = """\
# The defaults of Debian's AMIs for EC2.
system_info:
  default_user:
    name: admin
    gecos: Debian
    groups: [adm, audio, cdrom, dialout, dip, floppy, netdev, plugdev, sudo, video]
    lock_passwd: true
    shell: /bin/bash
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
datasource_list: [Ec2Host]
datasource:
  Ec2:
    metadata_urls: ["http://169.254.169.254"]  # the default list needs DNS and IPv6 to fail first
network:
  config: disabled
manage_etc_hosts: true
ssh_genkeytypes: [rsa, ecdsa, ed25519]  # sshd loads no others
ssh_pwauth: false
cloud_init_modules:
  - migrator
  - seed_random
  - bootcmd
  - write-files
  - set_hostname
  - update_hostname
  - update_etc_hosts
  - ca-certs
  - rsyslog
  - users-groups
  - ssh
cloud_config_modules:
  - ssh-import-id
  - keyboard
  - set-passwords
  - apt-pipelining
  - apt-configure
  - ntp
  - timezone
  - disable-ec2-metadata
  - runcmd
cloud_final_modules:
  - package-update-upgrade-install
  - write-files-deferred
  - puppet
  - chef
  - salt-minion
  - scripts-vendor
  - scripts-per-once
  - scripts-per-boot
  - scripts-per-instance
  - scripts-user
  - ssh-authkey-fingerprints
  - keys-to-console
  - phone-home
  - final-message
  - power-state-change
"""

# cloud-init requests IMDSv2 tokens only if the firmware's tables name Amazon EC2, and a container has no such tables.
# So this is cloud-init's EC2 datasource with a fixed result of the detection. It has no variant for the time before the
# network is up, which would use DHCP: the interface is configured before the host boots. Source: cloud-init 22.4, 25.1,
# cloudinit/stages.py (_get_datasources), cloudinit/sources/DataSourceEc2.py (identify_platform).
DATASOURCE = '''\
from cloudinit import sources
from cloudinit.sources.DataSourceEc2 import CloudNames, DataSourceEc2


class DataSourceEc2Host(DataSourceEc2):
    """The EC2 datasource on a host that has no DMI tables to tell EC2 by."""

    def _get_cloud_name(self):
        return CloudNames.AWS


datasources = [(DataSourceEc2Host, (sources.DEP_FILESYSTEM, sources.DEP_NETWORK))]


def get_datasource_list(depends):
    return sources.list_from_depends(depends, datasources)
'''

SSHD_CONFIG = """\
PasswordAuthentication no
KbdInteractiveAuthentication no
"""

HOSTS = """\
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
"""

# The command that mounts NFS, in the place of that of nfs-common, which needs a client in the kernel.
NFS = "usr/lib/groundwork-lab/groundwork_nfs"
MOUNT = """\
#!/usr/bin/python3 -IS
import sys

sys.path.insert(0, "/usr/lib/groundwork-lab")
from groundwork_nfs.mount import main

sys.exit(main(sys.argv[1:]))
"""
HELPERS = ("mount.nfs", "mount.nfs4")

# A host has no disk to check or trim, no virtual terminals, no input on its console, and no NFS client of the kernel.
# apt's timers also run on Debian's AMIs, but only some time after boot; in a lab they would hold dpkg's lock at random
# times.
MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "console-getty.service",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "run-rpc_pipefs.mount",
    "systemd-networkd-wait-online.service",
    "systemd-pstore.service",
)

# files that each host must generate for itself, and files that remain from the build
REMOVED = (
    *LEFTOVERS,
    "etc/hostname",
    "etc/ssh/ssh_host_*_key",
    "etc/ssh/ssh_host_*_key.pub",
    "var/lib/dbus/machine-id",
    "var/log/apt/*",
    "var/log/*.log",
)


def recipe(version: int, machine: apt.Apt, architecture: str) -> Recipe:
    """Return the recipe of the AMI of a version of Debian, on a machine with this apt."""
    files = {
        "etc/apt/sources.list.d/debian.sources": apt.render_sources(machine.sources),
        "etc/cloud/cloud.cfg.d/20_ec2.cfg": CLOUD_CONFIG,
        "etc/hosts": HOSTS,
        "etc/machine-id": "",
        "etc/resolv.conf": "",
        "etc/ssh/sshd_config.d/50-no-passwords.conf": SSHD_CONFIG,
        f"usr/local/lib/python{PYTHONS[version]}/dist-packages/DataSourceEc2Host.py": DATASOURCE,
    }
    files |= {f"usr/sbin/{name}": MOUNT for name in HELPERS}
    sources = Path(__file__).with_name("nfs").glob("*.py")
    files |= {f"{NFS}/{source.name}": source.read_text("utf-8") for source in sorted(sources)}
    if machine.judging:
        files["etc/apt/apt.conf.d/90machine"] = "".join(f"{line}\n" for line in machine.judging)
    return Recipe(
        suite=SUITES[version],
        architecture=architecture,
        packages=PACKAGES,
        files=files,
        masked=MASKED,
        removed=REMOVED,
        diverted=tuple(f"{folder}/{name}" for folder in ("/sbin", "/usr/sbin") for name in HELPERS),
    )


class BaseImages:
    """The base images in the cache, by the version of Debian. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.cache / "images"
        self._wanted = lru_cache(self._want)

    def folder(self, version: int) -> Path:
        """Return the folder of an image, which may not be built yet. Raise NoDebianArchiveError."""
        return self._folder / self._wanted(version)[0].key

    def ensure(self, version: int, progress: Callable[[str], None]) -> Path:
        """Return the folder of an image, and build it first if it does not exist (about 40 s).

        `progress` gets a line for each step. Raise RootError with mmdebstrap's last lines, or NoDebianArchiveError.
        """
        wanted, machine = self._wanted(version)
        return ensure_root(wanted, machine, self._folder, lambda line: progress(f"base image: {line}"))

    def _want(self, version: int) -> tuple[Recipe, apt.Apt]:
        machine = apt.machine_apt(SUITES[version])
        return recipe(version, machine, apt.architecture()), machine
