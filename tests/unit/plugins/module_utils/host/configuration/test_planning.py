"""From observed to desired: which packages, accounts, files and service steps; what is shown, and what never is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Account,
    Entry,
    Server,
    Service,
    Touch,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.planning import (
    NOTHING,
    Actual,
    Observed,
    Plan,
    Unit,
    differs,
    make_plan,
    report,
    restoring,
    touched_services,
)

RUNS = Unit(enabled=True, active=True, installed=True)
UNDONE = Unit(enabled=True, active=True, installed=True, effective=False)
FILE = Actual("file", b"x", owner="root", group="root", mode=0o644)
CONF = Entry("/etc/a", "file", b"x", touch=Touch(reload=("apache2",)))


@pytest.mark.parametrize(
    ("entry", "actual", "wrong"),
    [
        (CONF, FILE, False),
        (CONF, Actual(), True),
        (CONF, Actual("file", b"y", owner="root", group="root", mode=0o644), True),
        (CONF, Actual("file", b"x", owner="app", group="root", mode=0o644), True),
        (CONF, Actual("file", b"x", owner="root", group="app", mode=0o644), True),
        (CONF, Actual("file", b"x", owner="root", group="root", mode=0o600), True),
        (CONF, Actual("link", target="b"), True),
        (Entry("/a", "link", target="b"), Actual("link", target="b", owner="app", mode=0o777), False),
        (Entry("/a", "link", target="b"), Actual("link", target="c"), True),
        (Entry("/a", "link", target="b"), FILE, True),
        (Entry("/a", "absent"), Actual(), False),
        (Entry("/a", "absent"), Actual("link", target="b"), True),
        (Entry("/a", "directory", mode=0o755), Actual("directory", owner="root", group="root", mode=0o755), False),
        (Entry("/a", "directory", mode=0o755), Actual("directory", owner="root", group="root", mode=0o700), True),
    ],
)
def test_what_differs(entry: Entry, actual: Actual, wrong: bool) -> None:
    assert differs(entry, actual) is wrong


@pytest.mark.parametrize("kind", ["file", "link", "absent"])
def test_a_folder_is_nobodys_to_replace(kind: Any) -> None:
    with pytest.raises(GroundworkError, match="/a is a directory, but should be"):
        differs(Entry("/a", kind), Actual("directory"))


@pytest.mark.parametrize(
    ("wanted", "unit", "touch", "steps"),
    [
        (Service("s"), RUNS, None, ()),
        (Service("s"), RUNS, "reload", ("reload",)),
        (Service("s"), RUNS, "restart", ("restart",)),
        (Service("s"), UNDONE, None, ("reload",)),
        (Service("s"), UNDONE, "restart", ("restart",)),
        (Service("s", started=False), UNDONE, None, ("stop",)),
        (Service("s"), Unit(enabled=True, installed=True), "restart", ("start",)),
        (Service("s"), Unit(active=True, installed=True), None, ("enable",)),
        (Service("s"), Unit(), "reload", ("enable", "start")),
        (Service("s", started=False, enabled=False), RUNS, "reload", ("stop", "disable")),
        (Service("s", started=False, enabled=False), Unit(), None, ()),
        (Service("s", started=False, enabled=False), Unit(installed=True), None, ()),
    ],
)
def test_what_happens_to_a_service(wanted: Service, unit: Unit, touch: Any, steps: tuple[str, ...]) -> None:
    pending = {"s": touch} if touch else {}
    plan = make_plan(Server("web", services=(wanted,)), Observed(units={"s": unit}, pending=pending))
    assert tuple(step for one in plan.services for step in one.steps) == steps


def test_a_restart_is_also_a_reload() -> None:
    entries = [Entry("/a", "file", touch=Touch(reload=("s",))), Entry("/b", "file", touch=Touch(restart=("s",)))]
    assert touched_services(entries) == touched_services(entries[::-1]) == {"s": "restart"}


def test_a_pending_restart_stays_one() -> None:
    assert touched_services([CONF], {"apache2": "restart"}) == {"apache2": "restart"}


def test_an_account_gets_its_missing_members() -> None:
    account = Account("site-app", "/srv", ("www-data",))
    desired = Server("web", accounts=(account,))
    assert make_plan(desired, Observed(accounts={"site-app": frozenset()})).accounts == (account,)
    assert not make_plan(desired, Observed(accounts={"site-app": frozenset({"www-data", "deploy"})}))


@pytest.mark.parametrize(
    ("numbers", "holders", "wrong"),
    [
        ({}, {}, None),
        ({"site-app": (59001, 59001)}, {59001: "site-app"}, None),
        ({}, {59001: "alice"}, "The number 59001 of the account site-app is used by alice on this server"),
        ({"site-app": (997, 995)}, {}, "The account site-app has the number 997 on this server, and its group 995"),
        ({"site-app": (59001, 995)}, {59001: "site-app"}, "its group 995"),
        ({"site-app": (997, 995)}, {59001: "alice"}, "is used by alice"),
    ],
)
def test_an_account_has_the_number_that_it_needs_or_is_refused(
    numbers: dict[str, tuple[int, int]], holders: dict[int, str], wrong: str | None
) -> None:
    observed = Observed(accounts=dict.fromkeys(numbers, frozenset()), numbers=numbers, holders=holders)
    wished = Server("web", accounts=(Account("site-app", "/srv", uid=59001),))
    assert make_plan(wished, observed).accounts == (() if numbers else wished.accounts)
    needed = Server("web", accounts=(Account("site-app", "/srv", uid=59001, require_uid=True),))
    if wrong is None:
        make_plan(needed, observed)
        return
    with pytest.raises(GroundworkError, match=wrong):
        make_plan(needed, observed)


def test_a_link_in_the_place_of_a_directory_is_refused() -> None:
    observed = Observed(paths={"/srv/a": Actual("link", target="/mnt/a")})
    with pytest.raises(GroundworkError, match="/srv/a is a link to /mnt/a, but should be a directory"):
        make_plan(Server("web", entries=(Entry("/srv/a", "directory"),)), observed)


def test_what_is_not_declared_any_more_is_removed() -> None:
    observed = Observed(paths={"/etc/a": FILE, "/etc/b": FILE}, purgeable={"/etc/a": Touch(), "/etc/b": Touch()})
    plan = make_plan(Server("web", entries=(CONF,)), observed)
    assert plan.entries == (Entry("/etc/b", "absent"),)


def test_nothing_to_do_is_no_change() -> None:
    observed = Observed(frozenset({"apache2"}), paths={"/etc/a": FILE}, units={"apache2": RUNS})
    desired = Server("web", ("apache2",), entries=(CONF,), services=(Service("apache2"),))
    assert make_plan(desired, observed) == Plan()
    assert report(Plan(), observed) == {"changed": False, "changes": [], "diff": []}


def test_a_new_server_is_told_from_packages_to_services() -> None:
    desired = Server("web", ("apache2",), (Account("a", "/srv"),), (CONF,), services=(Service("apache2"),))
    told = report(make_plan(desired, NOTHING), NOTHING)["changes"]
    assert [(one["action"], one["resource"], one["name"]) for one in told] == [
        ("install", "package", "apache2"),
        ("create", "account", "a"),
        ("create", "file", "/etc/a"),
        ("enable", "service", "apache2"),
        ("start", "service", "apache2"),
    ]


@pytest.mark.parametrize(
    ("entry", "actual"),
    [
        (Entry("/a", "file", b"new-password", secret=True), Actual("file", b"old-password", mode=0o644)),
        (Entry("/a", "file", b"new-password", mode=0o600), Actual("file", b"old-password", mode=0o600)),
        (Entry("/a", "absent"), Actual("file", b"old-password", mode=0o600)),
        (Entry("/a", "file", b"new-password", secret=True), Actual()),
    ],
)
def test_a_secret_is_never_shown(entry: Entry, actual: Actual) -> None:
    observed = Observed(paths={"/a": actual})
    told = report(Plan(entries=(entry,)), observed)
    assert told["changed"]
    assert told["diff"][0]["before"] != told["diff"][0]["after"]
    assert "password" not in str(told)


def test_what_was_there_can_be_brought_back() -> None:
    assert restoring("/a", Actual()) == Entry("/a", "absent", owner="root", group="root", mode=0)
    assert restoring("/a", FILE) == Entry("/a", "file", b"x")
    assert restoring("/a", Actual("directory")) is None
