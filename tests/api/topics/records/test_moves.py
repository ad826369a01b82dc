"""Names that move between load balancers and the distribution, or leave, are served at every moment.

The modules run against the account in the order of the roles; load balancers and the distribution are models of their
own. After each call, what DNS says, and what resolvers may remember, has to be served.
"""

from __future__ import annotations

import typing as t

import pytest
from cloud import Killed
from named_account import NamedAccount
from topic_options.names import certificates, records

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import covers
from ansible_collections.groundwork.aws.plugins.module_utils.project.dns.options import dns
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import converge_certificates
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.run import converge_records

Names = t.Mapping[str, t.Sequence[str]]  # by load balancer; those of the distribution are by EDGE
EDGE = "edge"
BALANCERS = ("public", "private")
TARGETS = {name: f"dev-{name}-1.eu-central-1.elb.amazonaws.com" for name in BALANCERS} | {EDGE: "d1.cloudfront.net"}
FACTS = [{"name": name, "dns_name": TARGETS[name], "zone_id": "Z1", "url": f"http://{name}/"} for name in BALANCERS]
LISTENERS = [{"port": 80, "default_action": {}}]
DISTRIBUTION = "arn:aws:cloudfront::123456789012:distribution/E1"
TTL = 60.0
A, B, C, D = (f"{letter}.example.com" for letter in "abcd")


class Watched:
    """A client of the account, after each call of which the account is watched."""

    def __init__(self, account: Served, client: t.Any) -> None:
        self.account = account
        self.inner = client

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> t.Any:
        def call(**arguments: t.Any) -> t.Any:
            answer = getattr(self.inner, operation)(**arguments)
            self.account.step(operation)
            return answer

        return call


class Served(NamedAccount):
    """An account with two load balancers and a distribution. It is killed after the step `end`."""

    def __init__(self) -> None:
        super().__init__()
        self.zone("example.com")
        self.arns = {name: self.listen(f"dev-{name}") for name in BALANCERS}
        self.open: set[str] = set()
        self.aliases: set[str] = set()
        self.edge_certificate = ""
        self.leads: dict[str, str] = {}
        self.remembered: list[tuple[str, str, float]] = []
        self.steps: list[str] = []
        self.end: int | None = None

    def client(self, service: str, /, region: str = "eu-central-1", **extra: t.Any) -> t.Any:
        return Watched(self, super().client(service, region, **extra))

    def step(self, what: str) -> None:
        """Check that everything is served, and end here if this is the last step."""
        self.steps.append(what)
        now = {
            name: one["AliasTarget"]["DNSName"].rstrip(".")
            for own in self.records.values()
            for (name, kind), one in own.items()
            if kind == "A"
        }
        self.remembered += [(name, old, self.now + TTL) for name, old in self.leads.items() if now.get(name) != old]
        self.leads = now
        for name, target in (*now.items(), *((name, old) for name, old, end in self.remembered if self.now < end)):
            assert self.serves(target, name), f"{name} leads to {target} after {self.steps[-5:]}"
        if len(self.steps) == self.end:
            raise Killed

    def serves(self, target: str, name: str) -> bool:
        if target == TARGETS[EDGE]:
            return name in self.aliases and self.covered([self.edge_certificate], name)
        own = next(balancer for balancer, one in TARGETS.items() if one == target)
        return own in self.open and self.covered(self.listeners[self.arns[own]], name)

    def covered(self, arns: t.Sequence[str], name: str) -> bool:
        known = [self.certificates[arn] for arn in arns if arn in self.certificates]
        return any(one["Status"] == "ISSUED" and any(covers(own, name) for own in one["Names"]) for one in known)

    # What the roles firewall, alb and static_site do

    def admit(self, names: Names, served: Names) -> None:
        kept = self.open if any(resource.startswith("alb-") for resource in served) else set()
        self.open = {name for name in BALANCERS if names.get(name)} | kept
        self.step("firewall")

    def balance(self, computed: t.Any, *, purge: bool) -> None:
        for one in computed["load_balancers"]:
            own = self.arns[one["name"]]
            tls = [listener for listener in one["listeners"] if listener.get("protocol") == "HTTPS"]
            if tls:
                wanted = tls[0]["certificates"]
                self.listeners[own] = [*wanted, *(arn for arn in self.listeners[own] if arn not in wanted)]
            elif purge:
                self.listeners[own] = []
            self.step(f"alb {one['name']}")

    def distribute(self, computed: t.Any) -> None:
        self.users.pop(self.edge_certificate, None)
        self.edge_certificate, self.aliases = computed["site_certificate_arn"], set(computed["site_aliases"])
        if self.edge_certificate:
            self.users[self.edge_certificate] = [DISTRIBUTION]
        self.step("static_site")


def site(account: Served, names: Names) -> None:
    """Run what site.yml runs, in its order."""
    own = {name: names.get(name, ()) for name in BALANCERS}
    seen: dict[str, t.Any] = {"served": {}, "owned": [], "certificates": [], "pending": []}

    def computed(**known: t.Any) -> t.Any:
        given = {
            "zone": "example.com",
            "names": own,
            "load_balancers": [{"name": n, "listeners": LISTENERS} for n in own],
        }
        edge = {"name": "site", "aliases": names.get(EDGE, ()), "certificate_arn": "", "ipv6": False}
        return dns({**given, "site": edge, "served": seen["served"], "owned": seen["owned"], **known})

    def certify(**given: t.Any) -> t.Any:
        check_mode = given.pop("check_mode", False)
        wanted = computed()["certificates"]
        return account.run(converge_certificates, certificates(*wanted, **given), check_mode=check_mode)

    def enter(*aliases: t.Any, check_mode: bool = False, **given: t.Any) -> t.Any:
        return account.run(
            lambda one: converge_records(one, account), records(*aliases, **given), check_mode=check_mode
        )

    def in_zone(certified: t.Any) -> list[t.Any]:
        return [{"arn": one["arn"], "names": one["names"]} for one in certified["certificates"]]

    def request() -> t.Any:
        certified = certify()
        if certified["pending"]:
            waiting = [one for one in certified["certificates"] if not one["issued"]]
            enter(certificates=in_zone({"certificates": waiting}), kept=computed()["names"])
            certify(wait=True)
        return certified

    looked = certify(check_mode=True)
    if not computed()["in_all_regions"] or looked["changes"] or looked["replaced"] or looked["undeclared"]:
        seen["owned"] = enter(kept=computed()["names"], check_mode=True)["owned"]
    seen["served"] = computed()["leaving"]
    certified = request() if looked["changes"] or looked["pending"] or seen["served"] else looked
    account.admit(names, seen["served"])
    account.balance(computed(certificates=certified["certificates"]), purge=not seen["served"])
    account.distribute(computed(certificates=certified["certificates"]))

    def publish(**given: t.Any) -> t.Any:
        aliases = computed(balancers=FACTS, domain_name=TARGETS[EDGE])["aliases"]
        return enter(*aliases, certificates=in_zone(certified), purge=True, **given)

    seen["owned"] = publish()["owned"]
    former = computed()["former"]
    if former:
        account.sleep(TTL)
        seen["served"] = computed()["staying"]
        certified = request()
        account.balance(computed(certificates=certified["certificates"]), purge=not seen["served"])
        account.admit(names, seen["served"])
        account.distribute(computed(certificates=certified["certificates"]))
        publish(forget=True)
    if certify(replaced="delete", purge=True)["changed"]:
        publish(forget=True)


MOVES: t.Mapping[str, tuple[Names, Names]] = {
    "new": ({}, {"public": [A, B], EDGE: [C]}),
    "between load balancers": ({"public": [A, B]}, {"public": [A], "private": [B]}),
    "all names of a load balancer": ({"public": [A, B]}, {"private": [A, B]}),
    "to the distribution": ({"public": [A, B], EDGE: [C]}, {"public": [A], EDGE: [B, C]}),
    "from the distribution": ({"public": [A], EDGE: [B, C]}, {"public": [A, B], EDGE: [C]}),
    "all names of the distribution": ({EDGE: [A, B]}, {"public": [A, B]}),
    "a swap": ({"public": [A], EDGE: [B]}, {"public": [B], EDGE: [A]}),
    "another name": ({"public": [A], EDGE: [B]}, {"public": [C], EDGE: [D]}),
    "removed": ({"public": [A, B], EDGE: [C, D]}, {"public": [A], EDGE: [C]}),
    "all removed": ({"public": [A], EDGE: [B]}, {}),
}


def at(names: Names) -> Served:
    account = Served()
    site(account, names)
    account.steps = []
    return account


def assert_only(account: Served, names: Names) -> None:
    """Check that names are served where they are declared, with one certificate for each, and that nothing else is."""
    wanted = sorted((resource, sorted(own)) for resource, own in names.items() if own)
    held = [(account.tags[arn]["Name"], sorted(one["Names"])) for arn, one in account.certificates.items()]
    purposes = {"dev-alb-public": "public", "dev-alb-private": "private", "dev-edge-site": EDGE}
    assert sorted((purposes[name], own) for name, own in held) == wanted
    assert account.leads == {name: TARGETS[resource] for resource, own in names.items() for name in own}
    assert account.open == {name for name in BALANCERS if names.get(name)}
    assert account.aliases == set(names.get(EDGE, ()))
    assert [name for name in BALANCERS if account.listeners[account.arns[name]]] == [
        n for n in BALANCERS if names.get(n)
    ]


@pytest.mark.parametrize("move", MOVES)
def test_a_name_is_served_at_every_moment(move: str) -> None:
    before, after = MOVES[move]
    account = at(before)
    site(account, after)
    assert_only(account, after)
    whole, at_rest = account.listing(), account.now
    account.steps = []
    site(account, after)
    assert (account.listing(), account.now) == (whole, at_rest), "the second run changes nothing and waits for nothing"
    assert len([one for one in account.steps if one.startswith(("list", "get", "describe"))]) <= 12


@pytest.mark.parametrize("move", ["new", "between load balancers", "from the distribution", "all removed"])
def test_killed_at_ten_points_it_converges(move: str) -> None:
    before, after = MOVES[move]
    account = at(before)
    site(account, after)
    steps, whole = len(account.steps), account.listing()
    for tenth in range(10):
        victim = at(before)
        victim.end = 1 + tenth * (steps - 1) // 10
        with pytest.raises(Killed):
            site(victim, after)
        victim.end = None
        site(victim, after)
        assert_only(victim, after)
        assert sorted(map(str, victim.listing()[:2])) == sorted(map(str, whole[:2])), tenth
