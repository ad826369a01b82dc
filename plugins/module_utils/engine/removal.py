# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a topic declares so that its resources can be removed: how they are found, what they need, and their deletion.

A topic's file `removal.py` has a `Removal`, which makes of AWS' answers `Thing`s: resources as a graph of dependencies.
A thing has the ids of the things that it needs, and the calls that delete it. `project/teardown` derives from the
graphs of all topics the order of the deletions, and what stays and why.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    other_region,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Ref, Wait

Described = t.Mapping[str, t.Any]
Answers = t.Mapping[str, list[t.Any]]
State = t.Literal["ours", "gone", "theirs"]


@dataclass(frozen=True)
class Batch:
    """A call that deletes many resources at once. `argument` takes at most `size` of their ids.

    `refusals` and `settled` are those of the Call.
    """

    service: str
    operation: str
    argument: str
    size: int
    refusals: str = ""
    settled: tuple[str, ...] = ()

    def call(self, ids: t.Sequence[str]) -> Call:
        """Return the call that deletes these resources."""
        wanted = {self.argument: list(ids)}
        return Call(self.service, self.operation, wanted, refusals=self.refusals, settled=self.settled)


@dataclass(frozen=True)
class Protection:
    """A setting that keeps a resource from being deleted, or the tool that manages the resource.

    `what` is a clause, as "termination protection is enabled". `command` of the AWS CLI lifts it, without the region;
    `otherwise` is a sentence, for what no command lifts or a variable sets.
    """

    what: str
    command: str = ""
    otherwise: str = ""

    def text(self, region: str = "") -> str:
        """Return two sentences: what protects the resource, and how to lift the protection."""
        where = f" --region {region}" if region and not self.command.startswith(GLOBAL_COMMANDS) else ""
        how = f"Lift it with '{self.command}{where}'." if self.command else ""
        return " ".join(filter(None, (f"{self.what}.", self.otherwise, how)))


GLOBAL_COMMANDS = ("aws iam ", "aws cloudfront ")

# The tags with which other tools mark the resources that they manage. The prefix `aws:` is reserved for AWS' services.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
# https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/using-features.tagging.html
# https://docs.aws.amazon.com/aws-backup/latest/devguide/deleting-backups.html
MANAGED_BY: t.Mapping[str, Protection] = {
    "aws:cloudformation:stack-name": Protection(
        "it belongs to the CloudFormation stack {value}", "aws cloudformation delete-stack --stack-name {value}"
    ),
    "aws:servicecatalog:provisionedProductArn": Protection(
        "it belongs to the product {value} of Service Catalog", otherwise="Terminate the product in Service Catalog."
    ),
    "elasticbeanstalk:environment-name": Protection(
        "it belongs to the Elastic Beanstalk environment {value}",
        "aws elasticbeanstalk terminate-environment --environment-name {value}",
    ),
    "aws:eks:cluster-name": Protection(
        "it belongs to the EKS cluster {value}", otherwise="Delete it with the node group of the cluster."
    ),
    "aws:backup:source-resource": Protection(
        "it is a recovery point of AWS Backup of {value}", otherwise="Delete the recovery point in AWS Backup."
    ),
}


def managed_by(tags: t.Mapping[str, str]) -> list[Protection]:
    """Return the protections of a resource with these tags: the tools that manage it."""
    leave = f"To keep it, remove its tag {ENVIRONMENT}."
    return [
        Protection(
            one.what.format(value=tags[key]),
            one.command.format(value=tags[key]),
            " ".join(filter(None, (one.otherwise, leave))),
        )
        for key, one in MANAGED_BY.items()
        if key in tags
    ]


@dataclass(frozen=True)
class Thing:
    """An existing resource. `id` is AWS' id: an id, an ARN, or a unique name.

    AWS refuses to delete what the resource `needs` before the resource. `needs` are ids, or other names that a resource
    `serves`: a server with a public address needs internet access, whichever gateway gives it.

    What it `works_through` can be deleted earlier, but stays if the resource stays. `calls` (or `batch`) delete the
    resource; if it has none, AWS deletes it, as the interfaces of a deleted load balancer, and it is only awaited.
    `part_of` is another resource, with which this one stays and is deleted. `wish` is the option without which the
    resource stays although it is the environment's. `protections` prevent the deletion, and so do tools that have
    `tags` of their own among those of the resource.
    """

    kind: str  # AWS' term
    id: str
    name: str  # the short name
    ours: bool = True
    needs: frozenset[str] = frozenset()
    serves: frozenset[str] = frozenset()
    works_through: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    batch: Batch | None = None
    wait: Wait | None = None
    before: t.Mapping[str, t.Any] = field(default_factory=dict)
    part_of: str = ""
    wish: str = ""
    place: str = ""  # for the user: a subnet's name
    region: str = ""  # of another environment of the same name, which has this global resource
    tags: t.Mapping[str, str] = field(default_factory=dict)
    protections: tuple[Protection, ...] = ()

    @property
    def ref(self) -> Ref:
        """Return the reference for changes that wait for the deletion of this resource."""
        return Ref(self.kind, self.name or self.id)

    def __str__(self) -> str:
        name = f" {self.name}" if self.name and self.name != self.id else ""
        return f"{self.kind}{name} ({self.id})"


def some(*ids: str | None) -> frozenset[str]:
    """Return the ids that are not empty."""
    return frozenset(one for one in ids if one)


def internet_of(vpc_id: str) -> str:
    """Return what the internet gateways of a VPC serve.

    AWS does not detach the internet gateway of a public address.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
    """
    return f"internet access of {vpc_id}"


# What the parameters of an environment serve: servers read them at their first boot, and at every release.
PARAMETERS = "parameters"


@dataclass(frozen=True)
class Whose:
    """An environment, and the tests for its resources. `region` is "" if it is not known."""

    environment: str
    region: str = ""

    def owns(self, tags: t.Mapping[str, str]) -> bool:
        """Return whether these are the environment's tags."""
        return tags.get(ENVIRONMENT) == self.environment and not self.elsewhere(tags)

    def elsewhere(self, tags: t.Mapping[str, str]) -> str:
        """Return the region of an environment of the same name that has a global resource with these tags, or ""."""
        return other_region(tags, self.region) if tags.get(ENVIRONMENT) == self.environment else ""

    def owns_described(self, resource: Described) -> bool:
        """Return whether a described resource has the environment's tag."""
        return self.owns(tag_dict(resource))

    def has_name(self, name: str) -> bool:
        """Return whether a name begins with `<environment>-`. Names of an environment `<environment>-…` do so too."""
        return name.startswith(f"{self.environment}-")

    def short(self, tags: t.Mapping[str, str], other: str = "") -> str:
        """Return the short name from a resource's tags, or `other` if it has none."""
        return tags.get("Name", "").removeprefix(f"{self.environment}-") or other

    def name_of(self, resource: Described, other: str = "") -> str:
        """Return the short name of a described resource."""
        return self.short(tag_dict(resource), other)


@dataclass(frozen=True)
class Sight:
    """What has been read so far: `answers` by the keys of their reads, of all topics.

    `wishes` are the options for the removal of what stays by default. `deadline` is in seconds, per resource. `denied`
    are the reads that the credentials do not allow, by key, with AWS' message.
    """

    whose: Whose
    answers: Answers = field(default_factory=dict)
    wishes: frozenset[str] = frozenset()
    deadline: float = 1800.0
    denied: t.Mapping[str, str] = field(default_factory=dict)

    def found(self, key: str) -> list[t.Any]:
        """Return an answer, or [] before it has been read."""
        return self.answers.get(key, [])

    def owns(self, arn: str) -> bool:
        """Return whether the answer `tags <arn>` has the environment's tag, for services with tags apart."""
        return self.whose.owns_described({"Tags": self.found(f"tags {arn}")})

    def elsewhere(self, arn: str) -> str:
        """Return the other region of the answer `tags <arn>`, as `Whose.elsewhere` does."""
        return self.whose.elsewhere(tag_dict({"Tags": self.found(f"tags {arn}")}))

    def short(self, name: str) -> str:
        """Return a name without the environment."""
        return name.removeprefix(f"{self.whose.environment}-")

    def thing(self, kind: str, described: Described, key: str, **more: t.Any) -> Thing:
        """Return a resource of EC2, whose id is the member `key`. Its tags decide whose it is."""
        own = described[key]
        whose = self.whose
        tags = tag_dict(described)
        return Thing(kind, own, whose.short(tags, own), ours=whose.owns(tags), tags=tags, **more)


@dataclass(frozen=True)
class Tagged:
    """A type of resources that EC2 finds by a tag: the operation, the list in the response, and their ids' member.

    `inside` is the filter that finds resources of all owners in a VPC or attached to it. `own` are further arguments.
    """

    operation: str
    result: str
    id: str
    inside: str = ""
    own: Described = field(default_factory=dict)

    def read(self, environment: str) -> Read:
        """Return the read of the environment's resources."""
        return self._read(tag_filter(ENVIRONMENT, environment))

    def read_inside(self, vpc_ids: t.Sequence[str]) -> Read:
        """Return the read of the resources in these VPCs."""
        return self._read({"Name": self.inside, "Values": list(vpc_ids)})

    def _read(self, wanted: Described) -> Read:
        return Read("ec2", self.operation, self.result, {"Filters": [wanted], **self.own})


@dataclass(frozen=True)
class Interfaces:
    """The network interfaces that a kind of resource has in a VPC, and that AWS deletes with the resource.

    `holder` returns the id of the resource that has a described interface, or "". `states` returns the states of the
    resources by these ids; those that are not in it are `otherwise`.
    """

    kind: str
    holder: t.Callable[[Described], str]
    states: t.Callable[[Sight], t.Mapping[str, State]]
    otherwise: State = "theirs"


@dataclass(frozen=True)
class Removal:
    """How the resources of a topic are found and deleted.

    `kinds` are their kinds. `things` returns the resources, and resources of others that keep them. They are found by
    `tagged`, by the key of their answer, and by further `reads`, also as (key, read). `reads` is called again with the
    answers until it returns no new key, so a read whose arguments are in another answer is returned in the next round.

    `after` is the topic whose resources come before those of this one where nothing needs either of them. An
    `optional` topic is one that an environment may not use: if the credentials may not read its resources, these are
    reported as not looked at, and the others are removed.
    """

    kinds: tuple[str, ...]
    things: t.Callable[[Sight], t.Iterable[Thing]]
    tagged: t.Mapping[str, Tagged] = field(default_factory=dict)
    reads: t.Callable[[Sight], t.Iterable[tuple[str, Read]]] = lambda _: ()
    interfaces: Interfaces | None = None
    after: str = ""
    optional: bool = False
