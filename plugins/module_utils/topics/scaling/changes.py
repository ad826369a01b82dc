# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the Auto Scaling groups: the changes from the desired and the current state. Pure functions."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, specification
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    THIS_HOUR,
    Call,
    Change,
    Ids,
    Joined,
    Ref,
    Token,
    Wait,
    ec2,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling import refreshing
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.checking import image_of, surplus
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.observed import (
    Group,
    Member,
    Observed,
    Template,
    template_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroup, ServerGroups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.templates import (
    Data,
    description,
    find_version,
    makes_the_same,
    shown_data,
    template_data,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.tracking import (
    delete_policies,
    put_policies,
    wanted_policies,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import TIER

ATTACHED = "target groups of auto scaling group"
KEPT_VERSIONS = 3  # of a launch template
# EC2 may not know a new instance profile yet. Auto Scaling reports this as a validation error of the launch template.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes that I make are not always visible)
YOUNG_PROFILE = "ValidationError:Invalid IAM Instance Profile"
GOING_DEADLINE = 900.0  # seconds until the instances of a deleted group have drained and are terminated


def group_tags(owner: Owner, tier: str) -> dict[str, str]:
    """Return the tags of a group and of its instances."""
    return owner.tags(tier, **{TIER: tier})


def plan(owner: Owner, desired: ServerGroups, observed: Observed) -> list[Change]:
    """Return the changes of the launch templates, groups and instance refreshes, and the deletion of surplus ones."""
    made = [_Planned(owner, desired, group, observed) for group in desired.groups]
    return [
        *(change for one in made for change in one.template_changes()),
        *(change for one in made for change in one.group_changes()),
        *(change for one in made for change in one.prune()),
        *(change for tier in surplus(desired, observed) for change in _remove(owner, tier, observed)),
    ]


class _Planned:
    """The plan of one tier."""

    def __init__(self, owner: Owner, desired: ServerGroups, wish: ServerGroup, observed: Observed) -> None:
        self.owner = owner
        self.how = desired.refreshing
        self.wish = wish
        self.tier = wish.name
        self.name = owner.name(wish.name)
        self.observed = observed
        self.ids: Ids = observed.ids()
        self.tags = group_tags(owner, wish.name)
        self.data: Data = template_data(wish, image_of(wish, observed), desired.hop_limit, self.tags)
        self.told = description(self.data)
        self.template = observed.templates.get(wish.name)
        self.group = observed.groups.get(wish.name)
        self.found = find_version(self.template, self.told, self.ids)

    # The launch template

    @property
    def version(self) -> Joined:
        """Return the number of the desired version as text."""
        return Joined((self.found.number if self.found else Ref("launch template", self.tier, "version"),))

    def template_changes(self) -> list[Change]:
        if self.template is None:
            return [self._create_template()]
        calls = []
        if self.found is None:
            calls.append(
                ec2(
                    "create_launch_template_version", LaunchTemplateId=template_ref(self.tier), **self._version()
                ).yielding(Ref("launch template", self.tier, "version"), "LaunchTemplateVersion.VersionNumber")
            )
        if self.found is None or self.template.default != self.found.number:
            arguments = {"LaunchTemplateId": template_ref(self.tier), "DefaultVersion": self.version}
            calls.append(ec2("modify_launch_template", **arguments))
        if lacking := _lacking(self.tags, self.template.tags):
            tags = [{"Key": key, "Value": value} for key, value in sorted(lacking.items())]
            calls.append(ec2("create_tags", Resources=[template_ref(self.tier)], Tags=tags).safe_to_repeat())
        if not calls:
            return []
        is_now = self.template.versions.get(self.template.default)
        before = {"Version": self.template.default, **(shown_data(is_now.data) if is_now else {})}
        after = {"Version": self.version, **shown_data(self.data)}
        return [Change("update", "launch template", self.tier, tuple(calls), before=before, after=after)]

    def _create_template(self) -> Change:
        tags = specification("launch-template", self.tags)
        call = ec2("create_launch_template", LaunchTemplateName=self.name, TagSpecifications=tags, **self._version())
        call = call.yielding(template_ref(self.tier), "LaunchTemplate.LaunchTemplateId").yielding(
            Ref("launch template", self.tier, "version"), "LaunchTemplate.LatestVersionNumber"
        )
        return Change("create", "launch template", self.tier, (call,), after=shown_data(self.data))

    def _version(self) -> dict[str, t.Any]:
        known = tuple(self.template.versions) if self.template else ()
        token = Token(("launch template", self.name, self.told, known, THIS_HOUR))
        return {"LaunchTemplateData": self.data, "VersionDescription": self.told, "ClientToken": token}

    def prune(self) -> list[Change]:
        """Delete old versions, but keep the newest, the default one, and those that instances were launched from."""
        if self.template is None:
            return []
        numbers = sorted(self.template.versions, reverse=True)
        newest = numbers[: KEPT_VERSIONS - (self.found is None)]
        kept = {*newest, *([self.found.number] if self.found else ())} | self._in_use()
        old = [number for number in numbers if number not in kept]
        if not old:
            return []
        versions = [str(number) for number in old]
        call = ec2("delete_launch_template_versions", LaunchTemplateId=template_ref(self.tier), Versions=versions)
        awaits = (refreshing.refresh_ref(self.tier),)
        return [Change("delete", "launch template versions", self.tier, (call,), {"Versions": old}, awaits=awaits)]

    def _in_use(self) -> set[int]:
        """Return the versions that are in use after all changes."""
        if self.group is None or self.replaces:
            return set()
        used = {member.version for member in self.group.members} | (set() if self._moves else {self.group.version})
        return {int(version) for version in used if version.isdecimal()}

    # The group

    def group_changes(self) -> list[Change]:
        wanted = wanted_policies(self.wish, self.observed)
        if self.group is None or self.group.going:
            return [self._create_group(), *put_policies(self.name, self.tier, wanted, {})]
        policies = self.observed.policies.get(self.tier, {})
        changes = self._await_refresh() + self._update(self.group) + self._retag(self.group)
        # AWS refuses a policy for the requests to a target group that is not attached.
        changes += self._attach(self.group)
        changes += put_policies(self.name, self.tier, wanted, policies)
        changes += delete_policies(self.name, self.tier, wanted, policies)
        changes += self._detach(self.group)
        if self.replaces and not self._is_under_way:
            begun = refreshing.begin(
                self.name, self.tier, self.version, self.how, rollback=self.group.version.isdecimal()
            )
            changes.append(_after(begun, changes))
        return changes

    def _sizes(self) -> dict[str, t.Any]:
        wish = self.wish
        sizes: dict[str, t.Any] = {"MinSize": wish.minimum, "MaxSize": wish.maximum}
        return sizes if wish.desired is None else {**sizes, "DesiredCapacity": wish.desired}

    def _settings(self) -> dict[str, t.Any]:
        """Return the settings that CreateAutoScalingGroup and UpdateAutoScalingGroup have in common."""
        subnets = tuple(Ref("subnet", placement.subnet) for placement in self.wish.tier.placements)
        return {
            **self._sizes(),
            "VPCZoneIdentifier": Joined(subnets),
            "HealthCheckType": "ELB" if self.wish.target_groups else "EC2",
            "HealthCheckGracePeriod": self.wish.grace,
            "DefaultInstanceWarmup": self.wish.warmup,
        }

    @property
    def _launches(self) -> dict[str, t.Any]:
        return {"LaunchTemplateId": template_ref(self.tier), "Version": self.version}

    def _create_group(self) -> Change:
        targets = [group_ref(name) for name in self.wish.target_groups]
        arguments = {
            "AutoScalingGroupName": self.name,
            "LaunchTemplate": self._launches,
            **self._settings(),
            **({"TargetGroupARNs": targets} if targets else {}),
            "Tags": self._tag_list(self.tags),
        }
        passing = (YOUNG_PROFILE, "AlreadyExists:pending delete")
        # AWS refuses a second group with the same name.
        call = Call("autoscaling", "create_auto_scaling_group", arguments, passing=passing, repeatable=True)
        return Change("create", "auto scaling group", self.tier, (call,), after={**self._shown(), "Tags": self.tags})

    def _shown(self) -> dict[str, t.Any]:
        """Return the desired settings as --diff shows them."""
        wish = self.wish
        return {
            **self._settings(),
            "VPCZoneIdentifier": [placement.subnet for placement in wish.tier.placements],
            "TargetGroups": list(wish.target_groups),
            "Version": self.version,
        }

    def _tag_list(self, tags: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
        own = {"ResourceId": self.name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
        return [{**own, "Key": key, "Value": tags[key]} for key in sorted(tags)]

    def _update(self, group: Group) -> list[Change]:
        actual = {
            "MinSize": group.minimum,
            "MaxSize": group.maximum,
            "DesiredCapacity": group.desired,
            "VPCZoneIdentifier": group.subnet_ids,
            "HealthCheckType": group.health_check,
            "HealthCheckGracePeriod": group.grace,
            "DefaultInstanceWarmup": group.warmup,
        }
        subnets = tuple(sorted(self.observed.subnets.get(p.subnet, "") for p in self.wish.tier.placements))
        settings = self._settings()
        wanted = {**settings, "VPCZoneIdentifier": subnets}
        different = {key for key, value in wanted.items() if actual[key] != value}
        arguments = {key: settings[key] for key in settings if key in different}
        before, after = {key: actual[key] for key in arguments}, dict(arguments)
        if self._moves and not self.replaces and not self._is_under_way:
            arguments["LaunchTemplate"] = self._launches
            before["Version"], after["Version"] = group.version, self.version
        if not arguments:
            return []
        call = Call(
            "autoscaling",
            "update_auto_scaling_group",
            {"AutoScalingGroupName": self.name, **arguments},
            passing=(YOUNG_PROFILE,),
        )
        change = Change("update", "auto scaling group", self.tier, (call,), before=before, after=after)
        return [_after(change, self._await_refresh())]

    def _retag(self, group: Group) -> list[Change]:
        missing = {key: value for key, value in self.tags.items() if group.tags.get(key) != (value, True)}
        if not missing:
            return []
        call = Call("autoscaling", "create_or_update_tags", {"Tags": self._tag_list(missing)}, repeatable=True)
        before = {key: group.tags.get(key, (None,))[0] for key in missing}
        return [Change("update", "tags", f"auto scaling group {self.tier}", (call,), before=before, after=missing)]

    def _attach(self, group: Group) -> list[Change]:
        """Attach the declared target groups."""
        attached = self._attached(group)
        missing = [name for name in self.wish.target_groups if name not in attached]
        if not missing:
            return []
        call = self._target_groups("attach", missing)
        return [Change("create", ATTACHED, self.tier, (call,), after={"TargetGroups": missing})]

    def _detach(self, group: Group) -> list[Change]:
        """Detach the environment's target groups that are not declared."""
        more = sorted(self._attached(group) - {*self.wish.target_groups})
        if not more:
            return []
        call = self._target_groups("detach", more)
        return [Change("delete", ATTACHED, self.tier, (call,), before={"TargetGroups": more})]

    def _attached(self, group: Group) -> set[str]:
        """Return the names of the environment's target groups that are attached."""
        names = {arn: name for name, arn in self.observed.target_groups.items()}
        return {names[arn] for arn in group.target_group_arns if arn in names}

    def _target_groups(self, doing: str, names: t.Sequence[str]) -> Call:
        arguments = {"AutoScalingGroupName": self.name, "TargetGroupARNs": [group_ref(name) for name in names]}
        return Call("autoscaling", f"{doing}_load_balancer_target_groups", arguments)

    # The servers

    @property
    def _moves(self) -> bool:
        """Return whether the group uses a different launch template version than the desired one."""
        group = self.group
        template_id = self.template.id if self.template else ""
        wanted = str(self.found.number) if self.found else ""
        return group is not None and (group.template_id, group.version) != (template_id, wanted)

    def outdated(self) -> list[Member]:
        """Return the instances that were launched from different settings than the desired ones."""
        return [one for one in (self.group.standing if self.group else ()) if not self._is_current(one)]

    def _is_current(self, member: Member) -> bool:
        if self.template is None or member.template_id != self.template.id or not member.version.isdecimal():
            return False
        return makes_the_same(self.template.versions.get(int(member.version)), self.told, self.ids)

    @property
    def replaces(self) -> bool:
        """Return whether instances are to be replaced."""
        return self.how.wanted and bool(self.outdated())

    @property
    def _is_under_way(self) -> bool:
        """Return whether an instance refresh to the desired version is in progress."""
        refresh = self.observed.refreshes.get(self.tier)
        wanted = str(self.found.number) if self.found else None
        return refresh is not None and refresh.under_way and refresh.version == wanted

    def _await_refresh(self) -> list[Change]:
        """Wait for an instance refresh that is in progress. Until it ends, the launch template cannot be changed."""
        refresh = self.observed.refreshes.get(self.tier)
        if refresh is None or not refresh.under_way:
            return []
        waiting = refreshing.go_on if self._is_under_way else refreshing.let_end
        return [waiting(self.name, self.tier, refresh, self.how)]


def outdated(owner: Owner, desired: ServerGroups, wish: ServerGroup, observed: Observed) -> list[str]:
    """Return the ids of a tier's instances that differ from new ones."""
    return [member.id for member in _Planned(owner, desired, wish, observed).outdated()]


def _after(change: Change, others: t.Sequence[Change]) -> Change:
    """Return the change, which is made after the waits of the other changes."""
    awaits = tuple(Ref(one.resource, one.name) for one in others if one.wait)
    return Change(**{**vars(change), "awaits": awaits})


def _lacking(wanted: t.Mapping[str, str], actual: t.Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if actual.get(key) != value}


def _remove(owner: Owner, tier: str, observed: Observed) -> t.Iterator[Change]:
    """Delete the group with its instances, which are drained first, and then its launch template."""
    group, template = observed.groups.get(tier), observed.templates.get(tier)
    name = owner.name(tier)
    if group is not None:
        arguments = {"AutoScalingGroupName": name, "ForceDelete": True}
        call = Call("autoscaling", "delete_auto_scaling_group", arguments)
        gone = Wait(
            f"the Auto Scaling group {name} to be deleted",
            Call("autoscaling", "describe_auto_scaling_groups", {"AutoScalingGroupNames": [name]}),
            lambda answer: not answer.get("AutoScalingGroups"),
            deadline=GOING_DEADLINE,
        )
        calls = () if group.going else (call,)
        before = {"DesiredCapacity": group.desired, "Servers": [member.id for member in group.members]}
        yield Change("delete", "auto scaling group", tier, calls, before=before, wait=gone)
    if template is not None:
        yield _remove_template(tier, template)


def _remove_template(tier: str, template: Template) -> Change:
    call = ec2("delete_launch_template", LaunchTemplateId=template.id).settled_by("InvalidLaunchTemplateId.NotFound")
    before = {"LaunchTemplateId": template.id}
    return Change("delete", "launch template", tier, (call,), before=before, awaits=(Ref("auto scaling group", tier),))
