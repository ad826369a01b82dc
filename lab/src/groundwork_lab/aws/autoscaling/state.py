"""The state of Auto Scaling: groups, their instances, activities, instance refreshes and scaling policies.

Times that the API returns are datetimes. Times for waiting are seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

MemberState = Literal["Pending", "InService", "Terminating"]
RefreshStatus = Literal[
    "Pending",
    "InProgress",
    "Baking",
    "Cancelling",
    "RollbackInProgress",
    "Successful",
    "Failed",
    "Cancelled",
    "RollbackSuccessful",
    "RollbackFailed",
]
ACTIVE: tuple[RefreshStatus, ...] = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """Return the time in the format of an activity's cause."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class TemplateUse:
    """The launch template of a group. `version` is a number, `$Latest` or `$Default`."""

    id: str
    name: str
    version: str

    @property
    def specification(self) -> dict[str, str]:
        return {"LaunchTemplateId": self.id, "Version": self.version}

    @property
    def told(self) -> dict[str, str]:
        return {"LaunchTemplateId": self.id, "LaunchTemplateName": self.name, "Version": self.version}


@dataclass
class Activity:
    description: str
    cause: str
    details: Mapping[str, str]
    id: str = field(default_factory=lambda: str(uuid4()))
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    status: str = "InProgress"
    message: str = ""
    progress: int = 0

    def end(self, status: str, message: str = "") -> None:
        self.status, self.message, self.progress, self.ended = status, message, 100, now()


@dataclass
class Member:
    """An instance of a group."""

    id: str
    zone: str
    subnet_id: str
    instance_type: str
    image_id: str
    template: TemplateUse  # its version is a number
    launched: float
    activity: Activity  # its latest activity
    protected: bool = False
    state: MemberState = "Pending"
    in_service: float | None = None
    healthy: bool = True
    passes: bool = False  # healthy in all target groups, or in no target group
    fault: str = ""  # why it is unhealthy, in the words of an activity's cause


@dataclass(frozen=True)
class Preferences:
    """The preferences of an instance refresh.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
    """

    minimum: int
    maximum: int
    warmup: int
    skip_matching: bool = False
    auto_rollback: bool = False
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay: int = 3600
    protected: Literal["Refresh", "Ignore", "Wait"] = "Wait"
    bake: int = 0


@dataclass
class Refresh:
    """An instance refresh.

    `olds` are the ids of the members still to be replaced. At the start there were `total` of them, and `kept` others.
    """

    preferences: Preferences
    given: Mapping[str, Any]  # RefreshPreferences of the request
    desired: TemplateUse | None
    olds: set[str]
    total: int
    kept: int
    progressed: float
    id: str = field(default_factory=lambda: str(uuid4()))
    status: RefreshStatus = "Pending"
    reason: str = ""
    started: datetime = field(default_factory=now)
    ended: datetime | None = None
    percentage: int = 0
    paused_until: float = 0.0
    checkpoints_passed: int = 0
    baked_at: float = 0.0
    rollback: dict[str, Any] | None = None

    @property
    def active(self) -> bool:
        return self.status in ACTIVE


Metric = Literal["ASGAverageCPUUtilization", "ALBRequestCountPerTarget"]


@dataclass(frozen=True)
class Point:
    """A data point of a metric: its value for one minute, and how many instances or targets it is the average of."""

    value: float
    number: int


@dataclass
class Policy:
    """A target tracking scaling policy. `alarms` are the names of its CloudWatch alarms by direction.

    `points` are the data points of its metric by minute, the oldest first. None is a minute without data.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ScalingPolicy.html
    """

    name: str
    arn: str
    metric: Metric
    label: str  # the ResourceLabel, "" for the CPU
    target: float
    scales_in: bool
    warmup: int | None  # EstimatedInstanceWarmup
    enabled: bool
    alarms: Mapping[Literal["High", "Low"], str]
    points: list[Point | None] = field(default_factory=list)


@dataclass
class Meter:
    """The totals at the end of the last minute of a group's metrics, by target group and by instance."""

    since: float
    minute: float  # seconds
    totals: Mapping[str, float]


@dataclass
class Group:
    name: str
    arn: str
    minimum: int
    maximum: int
    desired: int
    subnets: dict[str, str]  # zone by subnet id, in the order of the request
    template: TemplateUse
    health_check_type: str = "EC2"
    grace: int = 0
    cooldown: int = 300
    warmup: int | None = None
    maintenance: Mapping[str, int] | None = None
    target_groups: list[str] = field(default_factory=list)
    policies: tuple[str, ...] = ("Default",)
    protect_new: bool = False
    deletion_protection: str = "none"
    tags: dict[str, tuple[str, bool]] = field(default_factory=dict)  # value, and whether it is propagated at launch
    suspended: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    created: datetime = field(default_factory=now)
    deleting: bool = False
    members: dict[str, Member] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)  # in order of time
    refreshes: list[Refresh] = field(default_factory=list)
    scaling: dict[str, Policy] = field(default_factory=dict)  # the scaling policies by name
    meter: Meter | None = None
    cause: str = ""  # why the desired capacity was changed, in the words of an activity's cause
    losses: int = 0  # unhealthy members that are not replaced yet
    rebalancing: bool = False
    failures: int = 0  # consecutive refused launches
    retry_at: float = 0.0
    scaled: float = float("-inf")  # the time when the last scaling activity ended

    @property
    def standard_warmup(self) -> int:
        """Return the warm-up of a policy without its own: the default instance warmup, or else the default cooldown."""
        return self.cooldown if self.warmup is None else self.warmup

    @property
    def zones(self) -> list[str]:
        return sorted(set(self.subnets.values()))

    @property
    def standing(self) -> list[Member]:
        """Return the members that count as capacity."""
        return [member for member in self.members.values() if member.state != "Terminating"]

    @property
    def refresh(self) -> Refresh | None:
        """Return the active instance refresh, or None."""
        return next((refresh for refresh in self.refreshes if refresh.active), None)

    @property
    def launched_with(self) -> TemplateUse:
        """Return the launch template for new instances."""
        refresh = self.refresh
        if refresh is not None and refresh.desired and refresh.status in ("Pending", "InProgress", "Baking"):
            return refresh.desired
        return self.template

    def runs(self, process: str) -> bool:
        return process not in self.suspended

    def record(self, activity: Activity) -> Activity:
        self.activities.append(activity)
        return activity
