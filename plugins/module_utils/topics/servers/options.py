# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `ec2_instance_group`: parsing and validation."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ec2_golden_image import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN, Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import IMAGE_ID, TIER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey, find_public_key

GOLDEN = "lamp"  # part of the names of the environment's own images, and of the parameter that names the promoted one

SMALLEST_ROOT_VOLUME = 8  # GiB: the size of Debian's images
LARGEST_ROOT_VOLUME = 65536  # GiB of gp3: https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
LARGEST_USER_DATA = 16 * 1024
MOST_SERVERS = 1000  # per tier
MOST_HOPS = 64  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsRequest.html
MOST_SECURITY_GROUPS = 5  # per network interface, by the default quota
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html
KEY_PAIR_TYPES = ("ssh-ed25519", "ssh-rsa")

INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|metal|\d*xlarge|metal-\d+xl)")
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances.html
BURSTABLE = re.compile(r"t[2-9][a-z]*\.[a-z0-9]+")
CPU_CREDITS = ("standard", "unlimited")
OWNER = re.compile(r"\d{12}|self|amazon|aws-marketplace")
PROFILE_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)

Spec = dict[str, dict[str, t.Any]]
# The defaults are of Debian 12: https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm
IMAGE_OPTIONS: Spec = ARGUMENTS["base"]["options"]
TIER_OPTIONS: Spec = {
    "count": {"type": "int", "required": True},
    "instance_type": {"type": "str", "required": True},
    "root_volume_gib": {"type": "int"},
    "subnets": {"type": "list", "elements": "str"},
    "security_groups": {"type": "list", "elements": "str"},
    "public_ip": {"type": "bool"},
    "instance_profile": {"type": "str"},
    "user_data": {"type": "str"},
    "cpu_credits": {"type": "str"},
    "image": {"type": "dict", "options": {**IMAGE_OPTIONS, "promoted": {"type": "bool"}}},
}


@dataclass(frozen=True)
class ImageChoice:
    """The image of a tier's servers: the image `id`, or the newest image of `owner` whose name matches `name`.

    `promoted` says whether the environment's promoted image is used instead: `must` requires it, `may` uses it if it
    exists, `never` ignores it.
    """

    owner: str
    name: str
    id: str = ""
    promoted: t.Literal["must", "may", "never"] = "never"


@dataclass(frozen=True)
class Placement:
    """The name of a subnet, and its Availability Zone if the options contain it."""

    subnet: str
    zone: str = ""


@dataclass(frozen=True)
class Tier:
    """A tier of `count` servers, which are numbered from 1."""

    name: str
    count: int
    instance_type: str
    root_volume_gib: int | None  # None: the size of the image
    placements: tuple[Placement, ...]
    security_groups: tuple[str, ...]
    public_ip: bool
    instance_profile: str  # "": the instance profile of a server is not changed
    user_data: str
    image: ImageChoice
    cpu_credits: str = ""  # "": AWS' default for new servers; that of a server is not changed

    def placement(self, number: int) -> Placement:
        """Return the subnet of server `number`. Servers are distributed over the subnets in turn."""
        return self.placements[(number - 1) % len(self.placements)]

    @property
    def user_data_digest(self) -> str:
        """Return a digest of the user data, or "" if there is none."""
        return hashlib.sha256(self.user_data.encode()).hexdigest()[:16] if self.user_data else ""


@dataclass(frozen=True)
class Servers:
    """The servers of all tiers. `key` is None if, in check mode, an earlier task would have created its file."""

    tiers: tuple[Tier, ...]
    key: PublicKey | None
    hop_limit: int
    allow_removal: bool
    deadline: float  # seconds

    def tier(self, name: str) -> Tier | None:
        """Return the tier `name`, or None if the options do not contain it."""
        return next((tier for tier in self.tiers if tier.name == name), None)

    def wanted(self) -> list[tuple[Tier, int]]:
        """Return the tier and the number of every declared server."""
        return [(tier, number) for tier in self.tiers for number in range(1, tier.count + 1)]


ReadText = t.Callable[[str], str]


def read_text(path: str) -> str:
    """Return the text of a file. Raise OSError if it cannot be read."""
    return Path(path).read_text(encoding="utf-8", errors="replace")


def server_name(tier: str, number: int) -> str:
    """Return the name of a server, such as `public-1`."""
    return f"{tier}-{number}"


def parse_servers(
    options: t.Mapping[str, t.Any], problems: Problems, *, known: Known = NOTHING_KNOWN, read: ReadText = read_text
) -> Servers | None:
    """Return the desired servers, or None after adding everything that is wrong to `problems`.

    An empty `key_file` means that the role creates a key pair.
    """
    before = len(problems.found)
    zones = options.get("zones") or []
    tiers = [parse_tier(str(name), given, zones, problems, known) for name, given in options["tiers"].items()]
    key = parse_key(options.get("key_file") or "", bool(options.get("key_file_planned")), problems, read)
    check_range("metadata_hop_limit", options["metadata_hop_limit"], 1, MOST_HOPS, problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    if len(problems.found) > before:
        return None
    return Servers(
        tiers=tuple(tier for tier in tiers if tier),
        key=key,
        hop_limit=options["metadata_hop_limit"],
        allow_removal=options["allow_removal"],
        deadline=float(options["deadline"]),
    )


def parse_tier(name: str, given: t.Any, zones: t.Sequence[str], problems: Problems, known: Known) -> Tier | None:
    """Return a tier. Add what is wrong with it to `problems`; return None if its options cannot be read."""
    where = f"tiers.{name}"
    before = len(problems.found)
    _check_tier_name(name, where, problems, known)
    if not isinstance(given, t.Mapping):
        problems.add(where, f"{given!r} is not a dictionary", "give count and instance_type below it")
        return None
    options = conform_options(TIER_OPTIONS, given, where, problems)
    if len(problems.found) > before:
        return None
    by_zone = {f"{name}-{zone[-1]}": zone for zone in zones if zone}  # the role network names its subnets like this
    _check_numbers(options, where, problems)
    _check_texts(options, where, problems)
    return Tier(
        name=name,
        count=options["count"],
        instance_type=options["instance_type"],
        root_volume_gib=options["root_volume_gib"],
        placements=_parse_placements(options["subnets"], by_zone, f"{where}.subnets", problems, known),
        security_groups=_parse_groups(name, options["security_groups"], where, problems, known),
        public_ip=name == "public" if options["public_ip"] is None else options["public_ip"],
        instance_profile=options["instance_profile"] or "",
        user_data=options["user_data"] or "",
        image=_parse_choice(options["image"] or {}, given.get("image") or {}, f"{where}.image", problems),
        cpu_credits=options["cpu_credits"] or "",
    )


def _check_tier_name(name: str, where: str, problems: Problems, known: Known) -> None:
    if known.tiers is not None and name not in known.tiers:
        problems.add(where, f"'{name}' is not the name of a tier", f"use one of {_listed(known.tiers)}")
    elif not TIER_NAME.fullmatch(name):
        right = "use at most 16 lower case letters, digits and hyphens"
        problems.add(where, f"'{name}' is not a valid tier name", right)


def _check_numbers(options: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    check_range(f"{where}.count", options["count"], 0, MOST_SERVERS, problems)
    size = options["root_volume_gib"]
    if size is not None and size < SMALLEST_ROOT_VOLUME:
        problems.add(
            f"{where}.root_volume_gib",
            f"{size} GiB is smaller than the image",
            f"give at least {SMALLEST_ROOT_VOLUME}",
        )
    if size is not None and size > LARGEST_ROOT_VOLUME:
        problems.add(
            f"{where}.root_volume_gib",
            f"{size} GiB is larger than the largest volume",
            f"give at most {LARGEST_ROOT_VOLUME}",
        )


def _check_texts(options: t.Mapping[str, t.Any], where: str, problems: Problems) -> None:
    kind = options["instance_type"]
    if not INSTANCE_TYPE.fullmatch(kind):
        problems.add(f"{where}.instance_type", f"'{kind}' is not an instance type", "give one such as t3.small")
    option = options["cpu_credits"]
    if option and option not in CPU_CREDITS:
        problems.add(f"{where}.cpu_credits", f"'{option}' is not a credit option", f"use {' or '.join(CPU_CREDITS)}")
    elif option and not is_burstable(kind):
        right = "remove cpu_credits, or use a type of the families t2, t3, t3a and t4g"
        problems.add(f"{where}.cpu_credits", f"servers of the type {kind} have no CPU credits", right)
    profile = options["instance_profile"]
    if profile and not PROFILE_NAME.fullmatch(profile):
        problems.add(
            f"{where}.instance_profile",
            f"'{profile}' is not the name of an instance profile",
            "give the name, without its path and not as an ARN",
        )
    size = len((options["user_data"] or "").encode())
    if size > LARGEST_USER_DATA:
        problems.add(
            f"{where}.user_data",
            f"{size} bytes exceed EC2's limit",
            f"give at most {LARGEST_USER_DATA} bytes, and download the rest at boot",
        )


def is_burstable(instance_type: str) -> bool:
    """Return whether instances of this type have CPU credits."""
    return bool(BURSTABLE.fullmatch(instance_type))


def _parse_placements(
    subnets: list[str] | None, by_zone: t.Mapping[str, str], variable: str, problems: Problems, known: Known
) -> tuple[Placement, ...]:
    """Return the tier's subnets: the named ones, or one per Availability Zone."""
    names = list(by_zone) if subnets is None else subnets
    if not names:
        problems.add(variable, "contains no subnet", "give the tier's subnets, or give zones")
    for name in sorted(set(names)):
        if names.count(name) > 1:
            problems.add(variable, f"'{name}' is given {names.count(name)} times", "give each subnet once")
    check_known(variable, "subnet", names, known.subnets, problems)
    return tuple(Placement(name, by_zone.get(name, "")) for name in names)


def _parse_groups(tier: str, groups: list[str] | None, where: str, problems: Problems, known: Known) -> tuple[str, ...]:
    names = [f"{tier}-servers"] if groups is None else groups
    variable = f"{where}.security_groups"
    if not 1 <= len(set(names)) <= MOST_SECURITY_GROUPS:
        problems.add(variable, f"contains {len(set(names))} security groups", f"give 1 to {MOST_SECURITY_GROUPS}")
    check_known(variable, "security group", names, known.security_groups, problems)
    return tuple(sorted(set(names)))


def check_known(
    variable: str, thing: str, names: t.Iterable[str], known: t.Collection[str] | None, problems: Problems
) -> None:
    """Add to `problems` the names that are not among `known`. If `known` is None, accept every name."""
    for name in sorted(set(names) - set(known)) if known is not None else ():
        problems.add(variable, f"'{name}' is not a {thing}", f"use one of {_listed(known or ())}")


def _parse_choice(
    options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any], where: str, problems: Problems
) -> ImageChoice:
    """Return the image choice of a tier. Without `owner`, `name` and `id` the promoted image is used if it exists."""
    choice = parse_image(options, where, problems)
    named = sorted({"owner", "name", "id"} & given.keys())
    wanted = options.get("promoted")
    if wanted and named:
        problems.add(f"{where}.{named[0]}", "cannot be combined with promoted=true", "remove one of the two")
    if wanted is None:
        return replace(choice, promoted="never" if named else "may")
    return replace(choice, promoted="must" if wanted else "never")


def parse_image(options: t.Mapping[str, t.Any], where: str, problems: Problems) -> ImageChoice:
    choice = ImageChoice(
        owner=options.get("owner") or IMAGE_OPTIONS["owner"]["default"],
        name=options.get("name") or IMAGE_OPTIONS["name"]["default"],
        id=options.get("id") or "",
    )
    if choice.id and not IMAGE_ID.fullmatch(choice.id):
        problems.add(
            f"{where}.id", f"'{choice.id}' is not the id of an image", "give one such as ami-0123456789abcdef0"
        )
    if not OWNER.fullmatch(choice.owner):
        problems.add(
            f"{where}.owner",
            f"'{choice.owner}' is not the owner of images",
            "give a 12-digit account id in quotes, self, amazon or aws-marketplace",
        )
    return choice


def parse_key(path: str, planned: bool, problems: Problems, read: ReadText) -> PublicKey | None:
    """Return the key in the file at `path`, or None after adding to `problems`, or if the missing file is planned."""
    if not path:
        return None
    try:
        text = read(path)
    except FileNotFoundError:
        if not planned:
            problems.add(
                "key_file",
                f"the file {path} does not exist",
                "give the path of a public key on the controller, such as ~/.ssh/id_ed25519.pub",
            )
        return None
    except OSError as error:
        problems.add("key_file", f"{path} cannot be read: {error.strerror}", "give a readable public key")
        return None
    except ValueError:
        problems.add("key_file", f"{path!r} is not a path", "give the path of a public key on the controller")
        return None
    return _parse_key_text(path, text, problems)


def _parse_key_text(path: str, text: str, problems: Problems) -> PublicKey | None:
    if "PRIVATE KEY-----" in text:
        problems.add("key_file", f"{path} contains a private key", f"give the public key, probably {path}.pub")
        return None
    key = find_public_key(text)
    if key is None:
        right = "give a file with a line such as 'ssh-ed25519 AAAA…'"
        problems.add("key_file", f"{path} does not contain a public key", right)
    elif key.type not in KEY_PAIR_TYPES:
        right = "give an ed25519 or RSA key: EC2 supports no other types"
        problems.add("key_file", f"{path} contains a key of type {key.type}", right)
    return key


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
