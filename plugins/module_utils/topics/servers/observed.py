# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The current state of the servers: the reads, and the dataclasses that are made of AWS' answers."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    Owner,
    is_scaled,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation import Group, look_at
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    GOLDEN,
    ImageChoice,
    Servers,
    is_burstable,
    server_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey, find_public_key

MOST_DESCRIBED = 1000  # ids in a call of DescribeInstanceCreditSpecifications
TIER = "groundwork:tier"
NUMBER = "groundwork:server"
USER_DATA = "groundwork:user-data"
TAKEN_BACK = "groundwork:taken-back:"  # with a site: a release that was taken back (topics/rollout/records.py)
REPLACES = "groundwork:replaces"  # the id of the instance that a server replaces
HOST_KEY = "groundwork:host-key"  # the server's public host key, and when it was recorded

GONE = frozenset({"shutting-down", "terminated"})
KEY_PAIR = Ref("key pair", "servers")
NEXT = "-next"  # suffix of a successor's name until its predecessor is terminated


@dataclass(frozen=True)
class Server:
    """An instance of the environment.

    `number` is 0 if the tag is not a number. `succeeds` is true while the instance that this one replaces still exists.
    """

    id: str
    tier: str
    number: int
    state: str
    state_reason: str
    image_id: str
    instance_type: str
    subnet_id: str
    zone: str
    private_ip: str
    public_ip: str
    interface_id: str
    security_group_ids: tuple[str, ...]  # of the primary interface
    volume_ids: tuple[str, ...]  # the root volume first
    instance_profile: str
    metadata: tuple[str, int, str]  # HttpTokens, HttpPutResponseHopLimit, HttpEndpoint
    key_name: str
    launched: str
    tags: t.Mapping[str, str]
    profile_association: str = ""  # read only if the instance profile has to change
    succeeds: bool = False
    cpu_credits: str = ""  # read only if the tier has an option for it
    keeps_public_ip: bool = False  # an Elastic IP address, which a stop does not release

    @property
    def place(self) -> str:
        """Return the declared name, such as `public-1`."""
        return server_name(self.tier, self.number)

    @property
    def name(self) -> str:
        """Return `public-1`, or `public-1-next` while the instance that this one replaces still exists."""
        return f"{self.place}{NEXT}" if self.succeeds else self.place


@dataclass(frozen=True)
class Image:
    """An AMI. `root_gib` is the minimum size of a root volume that is created from it."""

    id: str
    name: str
    owners: tuple[str, ...]  # the account id and, if AWS returns one, the alias
    created: str  # ISO 8601
    root_device: str
    root_gib: int
    architecture: str = ""


@dataclass(frozen=True)
class KeyPair:
    """A key pair of EC2. `key` is None if EC2 returns no readable public key."""

    id: str
    name: str
    key: PublicKey | None
    tags: t.Mapping[str, str]


@dataclass(frozen=True)
class Volume:
    """A root volume."""

    gib: int
    encrypted: bool


@dataclass(frozen=True)
class Observed:
    """The current state. `subnets` (id, zone) and `security_groups` (id) are the environment's, by name."""

    servers: t.Mapping[str, Server] = field(default_factory=dict)  # by name, successors included
    gone: tuple[Server, ...] = ()  # terminated; EC2 returns them for about an hour
    key_pair: KeyPair | None = None
    images: tuple[Image, ...] = ()
    promoted: str = ""  # the image id in the environment's parameter
    subnets: t.Mapping[str, tuple[str, str]] = field(default_factory=dict)
    security_groups: t.Mapping[str, str] = field(default_factory=dict)
    volumes: t.Mapping[str, Volume] = field(default_factory=dict)
    target_groups: tuple[Group, ...] = ()  # read only if servers are to be deregistered

    def ids(self) -> Ids:
        """Return the ids of the existing resources, by the references that a plan contains."""
        ids: Ids = {Ref("server", name): server.id for name, server in self.servers.items()}
        ids.update({Ref("subnet", name): subnet_id for name, (subnet_id, _zone) in self.subnets.items()})
        ids.update({Ref("security group", name): group_id for name, group_id in self.security_groups.items()})
        ids.update({group_ref(group.name): group.arn for group in self.target_groups})
        if self.key_pair:
            ids[KEY_PAIR] = self.key_pair.name
        return ids

    def image(self, image_id: str) -> Image | None:
        """Return the image `image_id`, or None if it was not read."""
        return next((image for image in self.images if image.id == image_id), None)

    def candidates(self, choice: ImageChoice) -> list[Image]:
        """Return the images that match a choice, newest first. If the promoted image is to be used, return only it."""
        if choice.promoted == "must" or (choice.promoted == "may" and self.promoted):
            return [image for image in self.images if image.id == self.promoted]
        fitting = [image for image in self.images if fits(image, choice)]
        return sorted(fitting, key=lambda image: (image.created, image.id), reverse=True)


def fits(image: Image, choice: ImageChoice) -> bool:
    if choice.id:
        return image.id == choice.id
    return (choice.owner == "self" or choice.owner in image.owners) and fnmatchcase(image.name, choice.name)


def promoted_parameter(environment: str) -> str:
    """Return the name of the parameter that contains the id of the promoted image."""
    return f"/groundwork/{environment}/image/{GOLDEN}"


def promoted_read(environment: str) -> Read:
    """Return the read of the parameter that contains the id of the promoted image."""
    named = {"Name": promoted_parameter(environment)}
    return Read("ssm", "get_parameter", "Parameter", named, absent=("ParameterNotFound",))


def own_images(owner: Owner) -> str:
    """Return a pattern that matches the names of the environment's own images."""
    return owner.name(f"{GOLDEN}-*")


def instances_read(owner: Owner) -> Read:
    """Return the read of all instances of the environment, including recently terminated ones."""
    return Read("ec2", "describe_instances", "Reservations", {"Filters": owner.filters()})


def key_pairs_read(owner: Owner) -> Read:
    """Return the read of the environment's key pair, with its public key."""
    named = [{"Name": "key-name", "Values": [owner.name("servers")]}]
    return Read("ec2", "describe_key_pairs", "KeyPairs", {"Filters": named, "IncludePublicKey": True})


def reads(owner: Owner, desired: Servers) -> dict[str, Read]:
    """Return the reads by name. Their number does not depend on the number of servers."""
    choices = [tier.image for tier in desired.tiers]
    named = [choice for choice in choices if not choice.id]
    given = sorted({choice.id for choice in choices if choice.id})
    environment = {"Filters": [tag_filter(ENVIRONMENT, owner.environment)]}
    wanted = {
        "instances": instances_read(owner),
        "key pairs": key_pairs_read(owner),
        "subnets": Read("ec2", "describe_subnets", "Subnets", environment),
        "security groups": Read("ec2", "describe_security_groups", "SecurityGroups", environment),
        "volumes": Read("ec2", "describe_volumes", "Volumes", {"Filters": owner.filters()}),
    }
    if named:
        wanted["images"] = Read("ec2", "describe_images", "Images", _images_named(named, owner))
    if any(choice.promoted != "never" for choice in choices):
        wanted["parameter"] = promoted_read(owner.environment)
    if given:
        wanted["given images"] = Read(
            "ec2", "describe_images", "Images", {"ImageIds": given}, absent=("InvalidAMIID.NotFound",)
        )
    return wanted


def _images_named(choices: t.Sequence[ImageChoice], owner: Owner) -> dict[str, t.Any]:
    """Return the arguments that find the images by owner and name.

    They include deprecated images, because new servers of a tier use the image of the existing ones. They include the
    environment's own images, because one of them may be promoted.
    """
    own = any(choice.promoted != "never" for choice in choices)
    return {
        "Owners": sorted({choice.owner for choice in choices} | ({"self"} if own else set())),
        "Filters": [
            {"Name": "name", "Values": sorted({c.name for c in choices} | ({own_images(owner)} if own else set()))},
            {"Name": "state", "Values": ["available"]},
        ],
        "IncludeDeprecated": True,
    }


def observe_servers(clients: Clients, owner: Owner, desired: Servers) -> Observed:
    """Read the current state of the servers. Raise GroundworkError if two servers have the same name."""
    seen = _with_credits(clients, desired, observed(observe(clients, reads(owner, desired)), owner))
    changing = [
        server.id
        for server in seen.servers.values()
        if (tier := desired.tier(server.tier)) and tier.instance_profile not in ("", server.instance_profile)
    ]
    if not changing:
        return seen
    filters = [{"Name": "instance-id", "Values": changing}, {"Name": "state", "Values": ["associating", "associated"]}]
    read = Read(
        "ec2",
        "describe_iam_instance_profile_associations",
        "IamInstanceProfileAssociations",
        {"Filters": filters},
    )
    found = {a["InstanceId"]: a["AssociationId"] for a in observe(clients, {"associations": read})["associations"]}
    servers = {
        name: replace(server, profile_association=found.get(server.id, "")) for name, server in seen.servers.items()
    }
    return replace(seen, servers=servers)


def _with_credits(clients: Clients, desired: Servers, seen: Observed) -> Observed:
    """Return the state with the credit options of burstable servers whose tiers have one. It takes one call, or none.

    Without ids EC2 returns only the instances that are unlimited.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceCreditSpecifications.html
    """
    ids = [
        server.id
        for server in seen.servers.values()
        if (tier := desired.tier(server.tier)) and tier.cpu_credits and is_burstable(server.instance_type)
    ]
    reads = {
        str(at): Read(
            "ec2",
            "describe_instance_credit_specifications",
            "InstanceCreditSpecifications",
            {"InstanceIds": ids[at : at + MOST_DESCRIBED]},
        )
        for at in range(0, len(ids), MOST_DESCRIBED)
    }
    answers = [one for answer in observe(clients, reads).values() for one in answer]
    found = {one["InstanceId"]: one["CpuCredits"] for one in answers}
    servers = {name: replace(one, cpu_credits=found.get(one.id, "")) for name, one in seen.servers.items()}
    return replace(seen, servers=servers)


def observe_target_groups(clients: Clients, owner: Owner) -> tuple[Group, ...]:
    """Return the environment's target groups. This takes one call, and two calls per target group."""
    prefix = owner.name("")
    read = Read("elbv2", "describe_target_groups", "TargetGroups")
    described = observe(clients, {"groups": read})["groups"]
    return tuple(look_at(clients, [one for one in described if one["TargetGroupName"].startswith(prefix)], prefix))


def observed(answers: t.Mapping[str, list[t.Any]], owner: Owner) -> Observed:
    """Return the current state from the answers to `reads`. Raise GroundworkError if two servers have the same name."""
    live, gone = split_instances(answers["instances"])
    key_pairs = [key_pair_of(answer) for answer in answers["key pairs"]]
    images = [image_of(answer) for answer in [*answers.get("images", []), *answers.get("given images", [])]]
    return Observed(
        servers=live,
        gone=gone,
        key_pair=key_pairs[0] if key_pairs else None,
        images=tuple({image.id: image for image in images}.values()),
        promoted=next((parameter["Value"] for parameter in answers.get("parameter", [])), ""),
        subnets={owner.short(tag_dict(s)): (s["SubnetId"], s["AvailabilityZone"]) for s in answers["subnets"]},
        security_groups={owner.short(tag_dict(g)): g["GroupId"] for g in answers["security groups"]},
        volumes={v["VolumeId"]: Volume(v["Size"], v["Encrypted"]) for v in answers["volumes"]},
    )


def split_instances(reservations: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[dict[str, Server], tuple[Server, ...]]:
    """Return the existing servers by name, and the terminated ones, without the instances of Auto Scaling groups.

    A server that was launched to replace another one has the suffix `-next` in its name while that one still exists.
    Raise GroundworkError if two servers have the same name.
    """
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    servers = [_server(instance) for instance in instances if not is_scaled(instance)]
    places = {server.id: server.place for server in servers if server.state not in GONE}
    live = [
        replace(server, succeeds=places.get(server.tags.get(REPLACES, "")) == server.place)
        for server in servers
        if server.id in places
    ]
    counted = Counter(server.name for server in live)
    for name in sorted(name for name, count in counted.items() if count > 1):
        told = sorted((server.id, server.tags.get("Name", "missing")) for server in live if server.name == name)
        ids = " and ".join(f"{own} (Name {given})" for own, given in told)
        raise GroundworkError(
            f"The instances {ids} have the tags {TIER} and {NUMBER} of {name}. Put back these tags of the instance "
            f"whose Name is another one. If both have the Name of {name}, remove the tag {ENVIRONMENT} of the one that "
            "is not in use."
        )
    return {server.name: server for server in live}, tuple(server for server in servers if server.state in GONE)


def _server(instance: t.Mapping[str, t.Any]) -> Server:
    tags = tag_dict(instance)
    interface = _primary(instance)
    options = instance.get("MetadataOptions", {})
    number = tags.get(NUMBER, "")
    return Server(
        id=instance["InstanceId"],
        tier=tags.get(TIER, ""),
        number=int(number) if number.isdecimal() else 0,
        state=instance["State"]["Name"],
        state_reason=instance.get("StateReason", {}).get("Message", ""),
        image_id=instance["ImageId"],
        instance_type=instance["InstanceType"],
        subnet_id=instance.get("SubnetId", ""),
        zone=instance["Placement"]["AvailabilityZone"],
        private_ip=instance.get("PrivateIpAddress", ""),
        public_ip=instance.get("PublicIpAddress", ""),
        interface_id=interface.get("NetworkInterfaceId", ""),
        security_group_ids=tuple(sorted(group["GroupId"] for group in interface.get("Groups", []))),
        volume_ids=_volume_ids(instance),
        instance_profile=instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        metadata=(
            options.get("HttpTokens", ""),
            options.get("HttpPutResponseHopLimit", 0),
            options.get("HttpEndpoint", ""),
        ),
        key_name=instance.get("KeyName", ""),
        launched=str(instance.get("LaunchTime", "")),
        tags=tags,
        # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
        keeps_public_ip=interface.get("Association", {}).get("IpOwnerId", "amazon") != "amazon",
    )


def _primary(instance: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """Return the primary network interface. A terminated instance has none."""
    interfaces: list[dict[str, t.Any]] = instance.get("NetworkInterfaces", [])
    return next((i for i in interfaces if i.get("Attachment", {}).get("DeviceIndex", 0) == 0), {})


def _volume_ids(instance: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    root = instance.get("RootDeviceName")
    mappings = [m for m in instance.get("BlockDeviceMappings", []) if "Ebs" in m]
    mappings.sort(key=lambda mapping: mapping["DeviceName"] != root)
    return tuple(mapping["Ebs"]["VolumeId"] for mapping in mappings)


def image_of(image: t.Mapping[str, t.Any]) -> Image:
    """Return the image of an element of DescribeImages' answer."""
    root = image.get("RootDeviceName", "")
    sizes = [
        mapping["Ebs"].get("VolumeSize", 0)
        for mapping in image.get("BlockDeviceMappings", [])
        if mapping.get("DeviceName") == root and "Ebs" in mapping
    ]
    owners = (image.get("OwnerId", ""), image.get("ImageOwnerAlias", ""))
    return Image(
        id=image["ImageId"],
        name=image.get("Name", ""),
        owners=tuple(owner for owner in owners if owner),
        created=str(image.get("CreationDate", "")),
        root_device=root,
        root_gib=max(sizes, default=0),
        architecture=image.get("Architecture", ""),
    )


def key_pair_of(answer: t.Mapping[str, t.Any]) -> KeyPair:
    """Return the key pair of an element of DescribeKeyPairs' answer."""
    return KeyPair(
        id=answer["KeyPairId"],
        name=answer["KeyName"],
        key=find_public_key(answer.get("PublicKey", "")),
        tags=tag_dict(answer),
    )
