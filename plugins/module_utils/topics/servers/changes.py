# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the servers: checks, changes and warnings from the desired and the current state. Pure functions."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    Owner,
    specification,
    tag_list,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    Call,
    Change,
    Ref,
    Wait,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation import take_out, targets_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    KEY_PAIR,
    NEXT,
    NUMBER,
    REPLACES,
    TAKEN_BACK,
    TIER,
    USER_DATA,
    Image,
    Observed,
    Server,
    promoted_parameter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    LARGEST_ROOT_VOLUME,
    Placement,
    Servers,
    Tier,
    server_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey

# EC2 returns these errors for a token whose instance is terminated, or that was used with other arguments.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
SPENT_TOKEN = ("IdempotentInstanceTerminated", "IdempotentParameterMismatch")
# EC2 may not know a new instance profile yet.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes that I make are not always visible)
YOUNG_PROFILE = "InvalidParameterValue:Invalid IAM Instance Profile"
GENERATIONS = 8  # how many times a server can be replaced while EC2 remembers client tokens, which is about a day

STOP_DEADLINE = 300.0  # seconds; EC2 stops an instance forcibly if its operating system does not shut down


# Checks ----------------------------------------------------------------------------------------------------------


def check(owner: Owner, desired: Servers, observed: Observed, problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` the options that contradict AWS' state. Check mode accepts names that do not exist yet."""
    if not check_mode:
        _check_names(desired, observed, problems)
    _check_removal(owner, desired, observed, problems)
    _check_key(owner, desired, observed, problems)
    for tier in desired.tiers:
        _check_image(owner, tier, desired, observed, problems)


def _check_names(desired: Servers, observed: Observed, problems: Problems) -> None:
    for tier in desired.tiers:
        if not tier.count:
            continue
        for placement in tier.placements:
            if placement.subnet not in observed.subnets:
                problems.add_missing(
                    f"tiers.{tier.name}.subnets",
                    f"'{placement.subnet}' is not a subnet of the environment",
                    f"use one of {_listed(observed.subnets)}",
                )
        for group in tier.security_groups:
            if group not in observed.security_groups:
                problems.add_missing(
                    f"tiers.{tier.name}.security_groups",
                    f"'{group}' is not a security group of the environment",
                    f"use one of {_listed(observed.security_groups)}",
                )


def renamed(owner: Owner, server: Server) -> str:
    """Return the tags that a server should have by its Name, or "" if they are not edited."""
    place = owner.short(server.tags).removesuffix(NEXT)
    tier, hyphen, number = place.rpartition("-")
    if place == server.place or not (hyphen and number.isdecimal()):
        return ""
    wanted = {TIER: tier, NUMBER: number}
    return " and ".join(f"{key}={value}" for key, value in wanted.items() if server.tags.get(key) != value)


def surplus(desired: Servers, observed: Observed) -> list[Server]:
    """Return the servers that are not declared, by tier, the highest number first."""
    wanted = {server_name(tier.name, number) for tier, number in desired.wanted()}
    more = [server for server in observed.servers.values() if server.place not in wanted]
    return sorted(more, key=lambda server: (server.tier, -server.number))


def _check_removal(owner: Owner, desired: Servers, observed: Observed, problems: Problems) -> None:
    edited = [server for server in observed.servers.values() if renamed(owner, server)]
    for server in edited:
        name, tags = server.tags["Name"], f"{TIER} and {NUMBER}"
        problems.add(
            "environment_name",
            f"the instance {server.id} has the Name {name}, and its tags {tags} are of {server.place}",
            f"put back {renamed(owner, server)}, or change its Name to {owner.name(server.place)}",
        )
    more = [server for server in surplus(desired, observed) if server not in edited]
    if more and not desired.allow_removal:
        names = _listed(f"{server.name} ({server.id})" for server in more)
        problems.add(
            "allow_removal",
            f"these servers exceed the counts of their tiers: {names}",
            "raise the count, or set allow_removal (servers_allow_removal in the inventory) to true to terminate them",
        )


def _check_key(owner: Owner, desired: Servers, observed: Observed, problems: Problems) -> None:
    pair = observed.key_pair
    if not pair:
        return
    if not owner.owns_tags(pair.tags):
        problems.add("environment_name", *owner.foreign(f"the key pair '{pair.name}' ({pair.id})", pair.tags))
    elif desired.key and pair.key and desired.key != pair.key:
        problems.add(
            "key_file",
            f"is not the public key of the existing key pair '{pair.name}'",
            "give the key of that pair, or run groundwork.aws.recover with servers_recover=all, which installs this "
            "key on the servers and in EC2",
        )


def _check_image(owner: Owner, tier: Tier, desired: Servers, observed: Observed, problems: Problems) -> None:
    if all(server_name(tier.name, number) in observed.servers for number in range(1, tier.count + 1)):
        return
    check_start(owner, tier, pinned(tier, desired, observed), observed, problems)


def check_start(owner: Owner, tier: Tier, image: Image | None, observed: Observed, problems: Problems) -> None:
    """Add to `problems` the reason why a tier's servers cannot be launched from `image`; None is a missing image."""
    if image is None and tier.image.promoted == "must" and not observed.promoted:
        wrong = f"the environment {owner.environment} has no promoted image"
        problems.add(f"tiers.{tier.name}.image.promoted", wrong, "build one with groundwork.aws.image, or give false")
    elif image is None and tier.image.promoted != "never":
        problems.add(
            f"tiers.{tier.name}.image",
            f"the promoted image {observed.promoted} does not exist",
            "build one with groundwork.aws.image, or delete the parameter " + promoted_parameter(owner.environment),
        )
    elif image is None:
        what = tier.image.id or f"whose name matches '{tier.image.name}' and whose owner is {tier.image.owner}"
        problems.add(f"tiers.{tier.name}.image", f"the region has no image {what}", "give another owner, name or id")
    elif tier.root_volume_gib is not None and tier.root_volume_gib < image.root_gib:
        problems.add(
            f"tiers.{tier.name}.root_volume_gib",
            f"{tier.root_volume_gib} GiB is smaller than the {image.root_gib} GiB of {image.id}",
            f"give {image.root_gib} to {LARGEST_ROOT_VOLUME}",
        )


# Images ----------------------------------------------------------------------------------------------------------


def pinned(tier: Tier, desired: Servers, observed: Observed) -> Image | None:
    """Return the image that new servers of a tier are launched from, or None if there is none.

    It is the promoted image if the tier uses it. Otherwise it is the newest image that existing servers with the same
    image choice use, so that the servers of a tier are alike. Without such servers, or if their images are deleted, it
    is the newest matching image.
    """
    candidates = observed.candidates(tier.image)
    alike = {other.name for other in desired.tiers if other.image == tier.image}
    in_use = {server.image_id for server in observed.servers.values() if server.tier in alike}
    return next((image for image in candidates if image.id in in_use), candidates[0] if candidates else None)


def newest(tier: Tier, observed: Observed) -> Image | None:
    """Return the newest matching image, which replacements are launched from, or None if there is none."""
    return next(iter(observed.candidates(tier.image)), None)


def newer_images(desired: Servers, observed: Observed) -> dict[str, dict[str, t.Any]]:
    """Return by tier the newest image and the servers that use a different one, if there are such servers."""
    found: dict[str, dict[str, t.Any]] = {}
    for tier in desired.tiers:
        image = newest(tier, observed)
        behind = [s.name for s in _servers_of(tier, observed) if image and s.image_id != image.id]
        if image and behind:
            found[tier.name] = {
                "image_id": image.id,
                "name": image.name,
                "creation_date": image.created,
                "servers": behind,
            }
    return found


def _servers_of(tier: Tier, observed: Observed) -> list[Server]:
    """Return the existing servers of the tier that are declared, by number."""
    names = (server_name(tier.name, number) for number in range(1, tier.count + 1))
    return [observed.servers[name] for name in names if name in observed.servers]


# Warnings --------------------------------------------------------------------------------------------------------


def remarks(desired: Servers, observed: Observed) -> list[str]:
    """Return warnings about differences that only a replacement or a stop of the server would remove."""
    said = []
    for name, newer in newer_images(desired, observed).items():
        said.append(
            f"tiers.{name}: there is a newer image, {newer['name']} ({newer['image_id']}). Existing servers keep their "
            f"image: {_listed(newer['servers'])}. New servers are launched from "
            f"{'the newer image' if newer['image_id'] == observed.promoted else 'the image of the existing ones'}."
        )
    for server in observed.servers.values():
        if server.succeeds:
            said.append(
                f"{server.name} ({server.id}) was launched to replace {server.place}, and the replacement is not "
                f"complete. Run groundwork.aws.replace with servers_replace={server.place}, which completes it "
                f"and deletes the disk of {server.place}."
            )
    for tier in desired.tiers:
        for server in _servers_of(tier, observed):
            said.extend(f"{server.name} {drift}" for drift in _drifts(tier, server, observed))
    return said


def _drifts(tier: Tier, server: Server, observed: Observed) -> t.Iterator[str]:
    replacing = (
        f"Nothing was changed. To replace the server, run groundwork.aws.replace with servers_replace={server.id}, "
        "which is refused while data on it are neither in a new backup nor said to be lost"
    )
    if server.instance_type != tier.instance_type:
        yield (
            f"has the instance type {server.instance_type}, not {tier.instance_type}. To keep its data, run "
            f"groundwork.aws.resize with servers_resize={server.name}, which stops it and starts it again. {replacing}."
        )
    subnets = {observed.subnets[p.subnet][0] for p in tier.placements if p.subnet in observed.subnets}
    if subnets and server.subnet_id not in subnets:
        yield f"is in {server.subnet_id}, which is not a subnet of the tier. {replacing}."
    if server.state == "running" and bool(server.public_ip) != tier.public_ip:
        yield f"has {'a' if server.public_ip else 'no'} public IP address. {replacing}."
    if server.tags.get(USER_DATA, "") != tier.user_data_digest:
        yield f"was launched with different user data. {replacing}."
    volume = observed.volumes.get(server.volume_ids[0]) if server.volume_ids else None
    if volume and tier.root_volume_gib not in (None, volume.gib):
        yield (
            f"has a root volume of {volume.gib} GiB, not {tier.root_volume_gib} GiB. To keep its data, enlarge the "
            f"volume and its file system. {replacing}."
        )
    if volume and not volume.encrypted:
        yield f"has a root volume that is not encrypted. {replacing}."


# Changes ---------------------------------------------------------------------------------------------------------


def plan(owner: Owner, desired: Servers, observed: Observed) -> list[Change]:
    """Return the changes: import the key pair, update existing servers, launch missing ones, terminate surplus ones."""
    changes = [] if observed.key_pair else import_key(owner, desired.key)
    missing = []
    for tier, number in desired.wanted():
        server = observed.servers.get(server_name(tier.name, number))
        if server:
            changes += _mend(owner, desired, tier, server, observed)
        else:
            missing.append(launch(owner, desired, tier, number, observed, image=pinned(tier, desired, observed)))
    return [*changes, *missing, *retire(surplus(desired, observed), observed)]


def import_key(owner: Owner, key: PublicKey | None) -> list[Change]:
    """Return the change that imports the environment's key pair. Check mode may not know the key."""
    name = owner.name("servers")
    arguments = {
        "KeyName": name,
        "PublicKeyMaterial": f"{key} {name}".encode() if key else b"",
        "TagSpecifications": specification("key-pair", owner.tags("servers")),
    }
    call = Call("ec2", "import_key_pair", arguments, yields={KEY_PAIR: "KeyName"})
    after = {"KeyName": name, "PublicKey": str(key) if key else KNOWN_AFTER_APPLY}
    return [Change("create", KEY_PAIR.resource, KEY_PAIR.name, (call,), after=after)]


def server_tags(owner: Owner, tier: Tier, number: int) -> dict[str, str]:
    """Return the tags of a server, its root volume and its network interface."""
    return owner.tags(server_name(tier.name, number), **{TIER: tier.name, NUMBER: str(number)})


def _group_refs(tier: Tier) -> list[Ref]:
    return [Ref("security group", name) for name in tier.security_groups]


def launch(
    owner: Owner,
    desired: Servers,
    tier: Tier,
    number: int,
    observed: Observed,
    *,
    image: Image | None,
    replaced: str = "",
) -> Change:
    """Return the launch of a server. `replaced` is the id of the existing instance that the server replaces, or ""."""
    place = server_name(tier.name, number)
    name = f"{place}{NEXT}" if replaced else place
    placement = tier.placement(number)
    tags = server_tags(owner, tier, number)
    if replaced:
        leaving = next((one.tags for one in observed.servers.values() if one.id == replaced), {})
        kept = {key: value for key, value in leaving.items() if key.startswith(TAKEN_BACK)}
        tags = {**tags, **kept, "Name": owner.name(name), REPLACES: replaced}
    arguments = _launch_arguments(desired, tier, placement, image, tags)
    tokens = _tokens(owner, place, placement, observed, replaced)
    yields = {Ref("server", name): "Instances.0.InstanceId"}
    call: Call | None = None
    for token in reversed(tokens):  # the first token is used first; if it is spent, the call with the next one follows
        instead = dict.fromkeys(SPENT_TOKEN, call) if call else {}
        arguments = {**arguments, "ClientToken": token}
        call = Call("ec2", "run_instances", arguments, yields=yields, instead=instead, passing=(YOUNG_PROFILE,))
    after = {
        "ImageId": image.id if image else KNOWN_AFTER_APPLY,
        "InstanceType": tier.instance_type,
        "Subnet": placement.subnet,
        "SecurityGroups": list(tier.security_groups),
        "PublicIp": tier.public_ip,
        "RootVolumeGiB": _root_gib(tier, image),
        "InstanceProfile": tier.instance_profile or None,
        "UserData": tier.user_data_digest or None,
        **({"CpuCredits": tier.cpu_credits} if tier.cpu_credits else {}),
        "Tags": tags,
    }
    return Change("create", "server", name, (t.cast(Call, call),), after=after)


def _root_gib(tier: Tier, image: Image | None) -> int:
    return tier.root_volume_gib or (image.root_gib if image else 0)


def _launch_arguments(
    desired: Servers, tier: Tier, placement: Placement, image: Image | None, tags: dict[str, str]
) -> dict[str, t.Any]:
    if tier.user_data_digest:
        tags = {**tags, USER_DATA: tier.user_data_digest}
    disk = {"VolumeType": "gp3", "VolumeSize": _root_gib(tier, image), "Encrypted": True, "DeleteOnTermination": True}
    interface = {
        "DeviceIndex": 0,
        "SubnetId": Ref("subnet", placement.subnet),
        "Groups": _group_refs(tier),
        "AssociatePublicIpAddress": tier.public_ip,
        "DeleteOnTermination": True,
    }
    arguments: dict[str, t.Any] = {
        "ImageId": image.id if image else KNOWN_AFTER_APPLY,
        "InstanceType": tier.instance_type,
        "MinCount": 1,
        "MaxCount": 1,
        "KeyName": KEY_PAIR,
        "NetworkInterfaces": [interface],
        "BlockDeviceMappings": [{"DeviceName": image.root_device if image else KNOWN_AFTER_APPLY, "Ebs": disk}],
        "MetadataOptions": _metadata(desired),
        "TagSpecifications": [
            *specification("instance", tags),
            *specification("volume", tags),
            *specification("network-interface", tags),
        ],
    }
    if tier.instance_profile:
        arguments["IamInstanceProfile"] = {"Name": tier.instance_profile}
    if tier.user_data:
        arguments["UserData"] = tier.user_data
    if tier.cpu_credits:
        arguments["CreditSpecification"] = {"CpuCredits": tier.cpu_credits}
    return arguments


def _metadata(desired: Servers) -> dict[str, t.Any]:
    return {"HttpTokens": "required", "HttpPutResponseHopLimit": desired.hop_limit, "HttpEndpoint": "enabled"}


def _tokens(owner: Owner, name: str, placement: Placement, observed: Observed, replaced: str) -> list[str]:
    """Return the client tokens of a launch, in the order of their use.

    A run that follows an interrupted one sends the same token, and EC2 returns the instance that is launched already.
    EC2 returns a terminated instance for about an hour and remembers its token for a day or more. So the token depends
    on the terminated instance while EC2 returns it. Later EC2 rejects the token, and the next generation's is used. The
    subnet distinguishes the environment from a removed one of the same name.

    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    predecessors = [server for server in observed.gone if server.name == name]
    last = max(predecessors, key=lambda server: (server.launched, server.id), default=None)
    subnet_id, _zone = observed.subnets.get(placement.subnet, ("", ""))
    parts = [owner.environment, name, subnet_id, last.id if last else ""]
    if replaced:
        parts.append(f"replaces/{replaced}")
    return [_token(*parts, str(generation)) for generation in range(GENERATIONS)]


def _token(*parts: str) -> str:
    return f"groundwork-{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:48]}"


def _mend(owner: Owner, desired: Servers, tier: Tier, server: Server, observed: Observed) -> list[Change]:
    calls: list[Call] = []
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    for fix in (
        _fix_groups(tier, server, observed),
        _fix_metadata(desired, server),
        _fix_profile(tier, server),
        _fix_credits(tier, server),
        fix_tags(owner, tier, server),
    ):
        if fix:
            call, key, was, will_be = fix
            calls.append(call)
            before[key], after[key] = was, will_be
    mended = [Change("update", "server", server.name, tuple(calls), before=before, after=after)] if calls else []
    return [*mended, *start(server)]


Fix = tuple[Call, str, t.Any, t.Any]  # the call; what --diff shows: key, before, after


def _fix_groups(tier: Tier, server: Server, observed: Observed) -> Fix | None:
    wanted = [observed.security_groups.get(name) for name in tier.security_groups]
    if set(wanted) == set(server.security_group_ids):
        return None
    names = {group_id: name for name, group_id in observed.security_groups.items()}
    call = Call(
        "ec2",
        "modify_network_interface_attribute",
        {"NetworkInterfaceId": server.interface_id, "Groups": _group_refs(tier)},
    )
    was = sorted(names.get(group_id, group_id) for group_id in server.security_group_ids)
    return call, "SecurityGroups", was, list(tier.security_groups)


def _fix_metadata(desired: Servers, server: Server) -> Fix | None:
    wanted = _metadata(desired)
    is_now = dict(zip(wanted, server.metadata, strict=True))
    if is_now == wanted:
        return None
    call = Call("ec2", "modify_instance_metadata_options", {"InstanceId": server.id, **wanted})
    return call, "MetadataOptions", is_now, wanted


def _fix_profile(tier: Tier, server: Server) -> Fix | None:
    if tier.instance_profile in ("", server.instance_profile):
        return None
    profile = {"IamInstanceProfile": {"Name": tier.instance_profile}}
    if server.profile_association:
        arguments = {"AssociationId": server.profile_association, **profile}
        call = Call("ec2", "replace_iam_instance_profile_association", arguments, passing=(YOUNG_PROFILE,))
    else:
        arguments = {"InstanceId": server.id, **profile}
        # An instance has one profile, so that a repetition is refused.
        echoes = ("IncorrectState",)
        call = Call("ec2", "associate_iam_instance_profile", arguments, echoes=echoes, passing=(YOUNG_PROFILE,))
    return call, "InstanceProfile", server.instance_profile or None, tier.instance_profile


def _fix_credits(tier: Tier, server: Server) -> Fix | None:
    if not server.cpu_credits or tier.cpu_credits in ("", server.cpu_credits):
        return None
    wanted = [{"InstanceId": server.id, "CpuCredits": tier.cpu_credits}]
    call = Call(
        "ec2",
        "modify_instance_credit_specification",
        {"InstanceCreditSpecifications": wanted},
        refusals="UnsuccessfulInstanceCreditSpecifications",
    )
    return call, "CpuCredits", server.cpu_credits, tier.cpu_credits


def fix_tags(owner: Owner, tier: Tier, server: Server) -> Fix | None:
    """Return the change of a server's tags, or None. The root volume and the network interface have the same tags."""
    wanted = server_tags(owner, tier, server.number)
    missing = {key: value for key, value in wanted.items() if server.tags.get(key) != value}
    if not missing:
        return None
    resources = [server.id, *server.volume_ids[:1], *filter(None, [server.interface_id])]
    call = Call("ec2", "create_tags", {"Resources": resources, "Tags": tag_list(missing)}, repeatable=True)
    return call, "Tags", {key: server.tags.get(key) for key in missing}, missing


def start(server: Server) -> list[Change]:
    """Return the changes that start a stopped server. If it is stopping, wait until it is stopped first."""
    call = Call("ec2", "start_instances", {"InstanceIds": [Ref("server", server.name)]})
    started = Change("update", "server", server.name, (call,), before={"State": "stopped"}, after={"State": "running"})
    if server.state == "stopped":
        return [started]
    if server.state == "stopping":
        look = Call("ec2", "describe_instances", {"InstanceIds": [server.id]})
        wait = Wait(f"{server.name} ({server.id}) to be stopped", look, is_stopped, deadline=STOP_DEADLINE)
        stopping, stopped = {"State": "stopping"}, {"State": "stopped"}
        awaited = Change("update", "server", server.name, (), before=stopping, after=stopped, wait=wait)
        return [awaited, replace(started, awaits=(Ref("server", server.name),))]
    return []


def is_stopped(response: t.Mapping[str, t.Any]) -> bool:
    """Return whether EC2 reports the one instance of a response as stopped."""
    states = [i["State"]["Name"] for r in response.get("Reservations", []) for i in r["Instances"]]
    return states == ["stopped"]


def retire(leaving: t.Sequence[Server], observed: Observed) -> list[Change]:
    """Return the changes that deregister servers from all target groups, and terminate them after they have drained."""
    ids = {server.name: server.id for server in leaving}
    drained = [change for group in observed.target_groups for change in take_out(group, ids)]
    awaits = tuple(targets_ref(change.name) for change in drained)
    return [*drained, *(replace(_terminate(server), awaits=awaits) for server in leaving)]


def _terminate(server: Server) -> Change:
    call = Call("ec2", "terminate_instances", {"InstanceIds": [server.id]}, settled=("InvalidInstanceID.NotFound",))
    before = {"InstanceId": server.id, "ImageId": server.image_id, "Zone": server.zone}
    return Change("delete", "server", server.name, (call,), before=before)


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
