# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `elbv2_maintenance`, which shows a maintenance page instead of the sites, and hides it again.

The page is a rule of each listener that forwards requests, before all other rules. Another rule before it lets
administrators in. Nothing else changes: the servers stay registered, and their health is checked as before.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import (
    MAINTENANCE,
    MAINTENANCE_PRIORITIES,
    tags_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    MAX_BODY,
    Api,
    comparable_actions,
    comparable_conditions,
    listed,
    parse_conditions,
)

LET_IN, PAGE = MAINTENANCE_PRIORITIES
EVERY_PATH: Api = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["*"]}}


@dataclass(frozen=True)
class Wish:
    """Whether the page is shown by the load balancers, all of the environment's if none is named.

    `let_in` is the condition of requests that reach the servers nevertheless, None for none.
    """

    shown: bool
    page: Api  # an action
    let_in: Api | None
    load_balancers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listener:
    """A listener that forwards requests, by its default action or by a rule.

    `rules` are those that exist at the priorities of the maintenance page.
    """

    name: str  # <load balancer>:<port>
    arn: str
    actions: t.Sequence[Api]
    rules: t.Mapping[int, Api] = field(default_factory=dict)
    tags: t.Mapping[int, t.Mapping[str, str]] = field(default_factory=dict)

    def is_ours(self, priority: int) -> bool:
        """Return whether the rule of this priority belongs to the maintenance page."""
        return MAINTENANCE in self.tags.get(priority, {})


def parse_maintenance(options: t.Mapping[str, t.Any], problems: Problems) -> Wish:
    """Return the options. Add to `problems` what is wrong with them."""
    body = options["body"]
    if len(body.encode()) > MAX_BODY:
        problems.add("body", f"the page has {len(body.encode())} bytes", f"use at most {MAX_BODY}")
    let_in = None
    if options["let_in"]:
        condition = {"field": "source-ip", "values": list(options["let_in"])}
        let_in = parse_conditions([condition], "let_in", problems)[0]
    response = {"StatusCode": "503", "ContentType": options["content_type"], "MessageBody": body}
    page = {"Type": "fixed-response", "FixedResponseConfig": {key: text for key, text in response.items() if text}}
    return Wish(options["shown"], page, let_in, tuple(options["load_balancers"]))


def converge_maintenance(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError if a listener has other rules in the place of the page."""
    owner, wish = run.parse(COMPONENT, parse_maintenance)
    listeners = run.observe(
        lambda: look(run, owner, wish), lambda seen, problems: check(wish, seen, problems, check_mode=run.check_mode)
    )
    result = run.make([change for one in listeners for change in plan(wish, one, owner)], {})
    return {**result, "listeners": [one.name for one in listeners]}


def look(run: Run, owner: Owner, wish: Wish) -> list[Listener]:
    """Return the listeners of the environment's load balancers that forward requests."""
    found = observe(run.clients, {"balancers": Read("elbv2", "describe_load_balancers", "LoadBalancers")})["balancers"]
    names = {one["LoadBalancerArn"]: one["LoadBalancerName"].removeprefix(owner.name("")) for one in found}
    candidates = [one["LoadBalancerArn"] for one in found if one["LoadBalancerName"] != names[one["LoadBalancerArn"]]]
    tags = tags_of(run.clients, candidates)
    balancers = [
        arn
        for arn in candidates
        if owner.owns_tags(tags.get(arn, {})) and names[arn] in (wish.load_balancers or names.values())
    ]
    by_balancer = {arn: Read("elbv2", "describe_listeners", "Listeners", {"LoadBalancerArn": arn}) for arn in balancers}
    described = [one for some in observe(run.clients, by_balancer).values() for one in some]
    by_listener = {
        one["ListenerArn"]: Read("elbv2", "describe_rules", "Rules", {"ListenerArn": one["ListenerArn"]})
        for one in described
    }
    rules = {
        arn: {int(rule["Priority"]): rule for rule in some if not rule["IsDefault"]}
        for arn, some in observe(run.clients, by_listener).items()
    }
    listeners = [
        one
        for one in described
        if forwards(one["DefaultActions"])
        or any(forwards(rule["Actions"]) for rule in rules[one["ListenerArn"]].values())
    ]
    first = {arn: {p: some[p] for p in MAINTENANCE_PRIORITIES if p in some} for arn, some in rules.items()}
    tags = tags_of(run.clients, [rule["RuleArn"] for some in first.values() for rule in some.values()])
    return [
        Listener(
            f"{names[one['LoadBalancerArn']]}:{one['Port']}",
            one["ListenerArn"],
            one["DefaultActions"],
            first[one["ListenerArn"]],
            {priority: tags.get(rule["RuleArn"], {}) for priority, rule in first[one["ListenerArn"]].items()},
        )
        for one in listeners
    ]


def forwards(actions: t.Iterable[Api]) -> bool:
    """Return whether requests reach servers by these actions."""
    return any(action["Type"] == "forward" for action in actions)


def check(wish: Wish, listeners: t.Sequence[Listener], problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` load balancers that do not exist, and rules in the place of the page."""
    found = {one.name.rpartition(":")[0] for one in listeners}
    if not check_mode:  # on an empty account there is none yet
        for at, name in enumerate(wish.load_balancers):
            if name not in found:
                wrong = f"the environment has no load balancer '{name}' that forwards requests"
                problems.add(f"load_balancers[{at}]", wrong, f"use some of {listed(found)}")
    if not wish.shown:
        return
    for one in listeners:
        if wish.let_in and not forwards(one.actions):
            wrong = f"the listener {one.name} forwards by its rules alone, and the page would come before all of them"
            problems.add("let_in", wrong, "give no addresses, or the names of other load balancers in load_balancers")
        for priority in one.rules:
            if not one.is_ours(priority):
                wrong = f"the listener {one.name} has a rule with the priority {priority}, and the page needs it"
                problems.add("shown", wrong, f"give that rule a priority above {PAGE}")


def plan(wish: Wish, listener: Listener, owner: Owner) -> t.Iterator[Change]:
    """Yield the changes of a listener. Administrators are let in before the page is shown, and until it is hidden."""
    forward = [{key: value for key, value in action.items() if key != "Order"} for action in listener.actions]
    wanted: dict[int, tuple[Api, list[Api]]] = {}
    if wish.shown and wish.let_in:
        wanted[LET_IN] = (wish.let_in, forward)
    if wish.shown:
        wanted[PAGE] = (EVERY_PATH, [wish.page])
    for priority, (condition, actions) in wanted.items():
        yield from _kept(listener, priority, condition, actions, owner)
    for priority in (PAGE, LET_IN):
        if priority not in wanted and listener.is_ours(priority):
            rule = listener.rules[priority]
            before = {"Conditions": rule["Conditions"], "Actions": rule["Actions"]}
            call = Call("elbv2", "delete_rule", {"RuleArn": rule["RuleArn"]}).settled_by("RuleNotFound")
            yield Change("delete", "rule", f"{listener.name}/{priority}", (call,), before)


def _kept(listener: Listener, priority: int, condition: Api, actions: list[Api], owner: Owner) -> t.Iterator[Change]:
    content = {"Conditions": [condition], "Actions": actions}
    rule, name = listener.rules.get(priority), f"{listener.name}/{priority}"
    if rule is None:
        tags = {**owner.tags(f"maintenance-{name.replace(':', '-').replace('/', '-')}"), MAINTENANCE: "shown"}
        arguments = {"ListenerArn": listener.arn, "Priority": priority, **content, "Tags": tag_list(tags)}
        call = Call("elbv2", "create_rule", arguments).safe_to_repeat().settled_by("PriorityInUse")
        yield Change("create", "rule", name, (call,), after=content)
    elif (comparable_conditions(rule["Conditions"]), comparable_actions(rule["Actions"])) != (
        comparable_conditions([condition]),
        comparable_actions(actions),
    ):
        before = {"Conditions": rule["Conditions"], "Actions": rule["Actions"]}
        call = Call("elbv2", "modify_rule", {"RuleArn": rule["RuleArn"], **content})
        yield Change("update", "rule", name, (call,), before, content)
