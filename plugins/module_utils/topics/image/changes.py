# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to golden images, stage by stage. These functions are pure.

The plan of all stages is the plans of the single stages, each made with the state that the previous stage leaves.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.bench import (
    BUILDER,
    TESTER,
    clear_bench,
    launch,
    stop,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.observed import (
    DIGEST,
    PROMOTED,
    Baked,
    Id,
    Machine,
    Observed,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import Golden
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import promoted_parameter

CAPTURE_INTERVAL = 5.0  # seconds; a snapshot takes minutes


def check(desired: Golden, observed: Observed, owner: Owner, problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` the options that contradict AWS' state. In check mode the network may be missing."""
    if observed.base is None:
        what = desired.base.id or f"named '{desired.base.name}' of owner {desired.base.owner}"
        problems.add("base", f"this region has no image {what}", "give another owner, name or id")
    if check_mode:
        return
    if desired.subnet not in observed.subnets:
        right = f"the environment has {', '.join(sorted(observed.subnets)) or 'none: run groundwork.aws.site first'}"
        problems.add_missing("subnet", f"'{desired.subnet}' is not a subnet of the environment", right)
    if not observed.has_key:
        problems.add_missing(
            "environment_name",
            f"the key pair '{owner.name('servers')}' does not exist",
            "run groundwork.aws.site first",
        )


def is_needed(desired: Golden, observed: Observed) -> bool:
    """Return whether a bake is requested, or would create another image than the promoted one."""
    promoted = observed.image(observed.promoted) if observed.promoted else None
    return desired.rebuild or promoted is None or promoted.digest != wanted_digest(desired, observed)


def wanted_digest(desired: Golden, observed: Observed) -> str:
    """Return the digest of the image that a bake would create now."""
    return desired.digest(observed.base.id if observed.base else "")


def plan(owner: Owner, desired: Golden, observed: Observed) -> list[Change]:
    """Return the changes of the stage."""
    stages: dict[str, t.Callable[[Owner, Golden, Observed], t.Iterator[Change]]] = {
        "plan": _whole,
        "build": _build,
        "capture": _capture,
        "test": _test,
        "promote": _promote,
        "clear": _clear,
    }
    return list(stages[desired.stage](owner, desired, observed))


def _whole(owner: Owner, desired: Golden, observed: Observed) -> t.Iterator[Change]:
    if not is_needed(desired, observed):
        yield from _clear(owner, desired, observed)
        return
    yield from _build(owner, desired, observed)
    ready = _with_bench(desired, _bare(observed))
    for stage in (_capture, _test, _promote):
        yield from stage(owner, desired, ready)


def _bare(observed: Observed) -> Observed:
    """Return the state after the cleanup of an interrupted bake."""
    lost = {image.id for image in _unpromoted(observed)}
    images = tuple(image for image in observed.images if image.id not in lost)
    return replace(observed, machines=(), groups={}, images=images, snapshots={})


def _with_bench(desired: Golden, observed: Observed) -> Observed:
    """Return the state in which the image is tested."""
    image = Baked(desired.name, Ref("image", desired.name), "available", "~", wanted_digest(desired, observed), "")
    names = (BUILDER, TESTER)
    return replace(
        observed,
        machines=tuple(Machine(name, Ref("server", name)) for name in names),
        groups={name: Ref("security group", name) for name in names},
        images=(*observed.images, image),
    )


def _build(owner: Owner, desired: Golden, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that delete the leftovers of an interrupted bake, and then launch the builder."""
    yield from clear_bench(observed, desired.deadline)
    yield from _remove_images(_unpromoted(observed), observed, desired.deadline)
    base = observed.base
    yield from launch(owner, desired, BUILDER, base.id if base else "", base.root_device if base else "")


def _capture(owner: Owner, desired: Golden, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that stop the builder, for a consistent disk, and create the image.

    The call that creates the image also tags it, so that a crash leaves no untagged image.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
    """
    yield stop(BUILDER, desired.deadline)
    ref = Ref("image", desired.name)
    tags = owner.tags(desired.name, **{DIGEST: wanted_digest(desired, observed)})
    create = ec2(
        "create_image",
        InstanceId=Ref("server", BUILDER),
        Name=owner.name(desired.name),
        Description=f"LAMP server of {owner.environment}",
        TagSpecifications=[*specification("image", tags), *specification("snapshot", tags)],
    ).yielding(ref, "ImageId")
    wait = Wait(
        f"the image {desired.name} to be available",
        ec2("describe_images", ImageIds=[ref]),
        lambda answer: _states(answer) == ["available"],
        broken=_failure,
        deadline=desired.deadline,
        interval=CAPTURE_INTERVAL,
    )
    yield Change("create", ref.resource, ref.name, (create,), after={"id": ref, "Tags": tags}, wait=wait)


def _states(answer: t.Mapping[str, t.Any]) -> list[str]:
    return [image["State"] for image in answer.get("Images", [])]


def _failure(answer: t.Mapping[str, t.Any]) -> str | None:
    """Return the reason why an image can never be available, or None."""
    lost = [i for i in answer.get("Images", []) if i["State"] not in ("available", "pending", "transient")]
    return lost[0].get("StateReason", {}).get("Message", f"its state is {lost[0]['State']}") if lost else None


def _test(owner: Owner, desired: Golden, _observed: Observed) -> t.Iterator[Change]:
    yield from launch(owner, desired, TESTER, Ref("image", desired.name))


def _promote(owner: Owner, desired: Golden, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that write the parameter and then the tag: an image with the tag has been promoted."""
    image = next((one for one in observed.images if one.name == desired.name), None)
    if image is None:
        return
    yield from _mark(observed)  # the previous one
    yield _put(owner, desired, image.id, observed)
    yield from _clear(owner, desired, replace(_marked(observed), promoted=image.id))


def _put(owner: Owner, desired: Golden, image_id: Id, observed: Observed) -> Change:
    """Return the change that writes the parameter. SSM accepts tags only when it creates a parameter.

    SSM validates the image id after its response.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-ec2-aliases.html
    """
    name = promoted_parameter(owner.environment)
    before = observed.image(observed.promoted)
    how = {"Overwrite": True} if observed.promoted else {"Tags": tag_list(owner.tags(name.rpartition("/")[2]))}
    value = {"Name": name, "Value": image_id, "Type": "String", "DataType": "aws:ec2:image"}
    return Change(
        "update" if observed.promoted else "create",
        "parameter",
        name,
        (Call("ssm", "put_parameter", {**value, **how}),),
        before={"image": before.name if before else observed.promoted} if observed.promoted else {},
        after={"image": desired.name},
        wait=Wait(
            f"the parameter {name} to contain {image_id}",
            Call("ssm", "get_parameter", {"Name": name}),
            lambda answer: answer.get("Parameter", {}).get("Value") == image_id,
        ),
    )


def _clear(_owner: Owner, desired: Golden, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that delete the builder, the tester, and all images except the promoted and the kept ones."""
    yield from _mark(observed)
    yield from clear_bench(observed, desired.deadline)
    yield from _remove_images([*_unpromoted(observed), *surplus(desired, observed)], observed, desired.deadline)


def _mark(observed: Observed) -> t.Iterator[Change]:
    image = observed.image(observed.promoted) if observed.promoted else None
    if image and not image.promoted:
        tag = {PROMOTED: image.name.rpartition("-")[2]}
        call = ec2("create_tags", Resources=[image.id], Tags=tag_list(tag)).safe_to_repeat()
        yield Change("update", "image", image.name, (call,), after=tag)


def _marked(observed: Observed) -> Observed:
    """Return the state in which the promoted image has the tag of its promotion."""
    images = tuple(
        replace(i, promoted=i.promoted or "now") if i.id == observed.promoted else i for i in observed.images
    )
    return replace(observed, images=images)


def _unpromoted(observed: Observed) -> list[Baked]:
    """Return the images of interrupted bakes."""
    return [image for image in observed.images if not image.promoted and image.id != observed.promoted]


def surplus(desired: Golden, observed: Observed) -> list[Baked]:
    """Return the oldest images that were promoted and exceed the number of kept images."""
    old = [image for image in observed.images if image.promoted and image.id != observed.promoted]
    return old[: max(0, len(old) - desired.keep)]


def removable(desired: Golden, observed: Observed) -> list[Baked]:
    """Return all images to remove if they are unused, in a plan of all stages those to remove at its end."""
    after = desired.stage == "promote" or (desired.stage == "plan" and is_needed(desired, observed))
    if after:
        image = next((one.id for one in observed.images if one.name == desired.name), Ref("image", desired.name))
        observed = replace(_marked(observed), promoted=image)
    return [*_unpromoted(observed), *surplus(desired, observed)]


def _remove_images(leaving: t.Sequence[Baked], observed: Observed, deadline: float) -> t.Iterator[Change]:
    """Yield changes that deregister images and delete their snapshots. A pending image is awaited first.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html
    """
    for image in leaving:
        if observed.users.get(str(image.id)):
            continue
        if image.state == "pending":
            look = ec2("describe_images", ImageIds=[image.id])
            settled = Wait(
                f"the image {image.name} to leave the state pending",
                look,
                lambda a: "pending" not in _states(a),
                deadline=deadline,
            )
            yield Change("update", "image", image.name, (), {"State": "pending"}, {"State": "available"}, wait=settled)
        deregister = ec2("deregister_image", ImageId=image.id, DeleteAssociatedSnapshots=True).settled_by(
            "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"
        )
        awaits = (Ref("image", image.name),)
        yield Change("delete", "image", image.name, (deregister,), {"id": image.id}, awaits=awaits)
    for name, snapshot_id in observed.snapshots.items():
        delete = ec2("delete_snapshot", SnapshotId=snapshot_id).settled_by("InvalidSnapshot.NotFound")
        yield Change("delete", "snapshot", name, (delete,), {"id": snapshot_id})


def in_use(desired: Golden, observed: Observed) -> list[dict[str, t.Any]]:
    """Return the images that are kept only because they are in use."""
    return [
        {"id": str(image.id), "name": image.name, "used_by": list(observed.users[str(image.id)])}
        for image in removable(desired, observed)
        if observed.users.get(str(image.id))
    ]
