"""Records of Route 53: ownership, validation records that several certificates share, delegation, and the zone."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Killed, told
from named_account import NamedAccount
from topic_options.names import ALIAS, EDGE, SITE, TARGET, WEB, certificates, records

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import going
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import look as look_for_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import unified
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.removal import REMOVAL as CERTIFICATES
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import converge_certificates
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.removal import REMOVAL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.run import converge_records

MARK = "_groundwork.dev.eu-central-1.www.example.com"


@pytest.fixture
def account() -> NamedAccount:
    return NamedAccount()


@pytest.fixture
def zone(account: NamedAccount) -> str:
    return account.zone("example.com")


def run(account: NamedAccount, *aliases: t.Any, check_mode: bool = False, **given: t.Any) -> t.Any:
    return account.run(lambda one: converge_records(one, account), records(*aliases, **given), check_mode=check_mode)


def request(account: NamedAccount, *wanted: t.Any, **given: t.Any) -> list[dict[str, t.Any]]:
    made = account.run(converge_certificates, certificates(*wanted, **given))
    return [{"arn": one["arn"], "names": one["names"]} for one in made["certificates"]]


def test_the_plan_is_the_run_and_the_second_run_takes_two_calls(account: NamedAccount, zone: str) -> None:
    planned = run(account, ALIAS, EDGE, check_mode=True)
    assert account.writes == []
    done = run(account, ALIAS, EDGE)
    assert told(planned) == told(done) == ["create record www.example.com", "create record static.example.com"]
    kinds = {key for key in account.records[zone] if key[1] in ("A", "AAAA", "TXT")}
    assert kinds == {
        ("www.example.com", "A"),
        (MARK, "TXT"),
        ("static.example.com", "A"),
        ("static.example.com", "AAAA"),
        ("_groundwork.dev.eu-central-1.static.example.com", "TXT"),
    }
    target = account.records[zone]["static.example.com", "AAAA"]["AliasTarget"]
    assert target["HostedZoneId"] == "Z2FDTNDATAQYW2"
    assert account.values(MARK, "TXT") == [
        '"heritage=groundwork.aws,groundwork/environment=dev,groundwork/region=eu-central-1,groundwork/record=alias"'
    ]
    assert account.now >= 30  # the change is INSYNC
    assert (told(run(account, ALIAS, EDGE)), account.calls) == ([], ["ListHostedZonesByName", "ListResourceRecordSets"])


def test_killed_after_each_write_it_converges(zone: str, account: NamedAccount) -> None:
    run(account, ALIAS, EDGE)
    whole = account.listing()
    for position in (2, 3, 4):
        victim = NamedAccount()
        victim.zone("example.com")
        victim.killed_after = position
        with pytest.raises(Killed):
            run(victim, ALIAS, EDGE)
        victim.killed_after = None
        run(victim, ALIAS, EDGE)
        assert victim.listing() == whole
        assert told(run(victim, ALIAS, EDGE)) == []


def test_a_name_that_moves_is_updated_and_told(account: NamedAccount, zone: str) -> None:
    run(account, ALIAS)
    moved = run(account, {**ALIAS, "target": "dev-private-2.eu-central-1.elb.amazonaws.com"})
    assert (told(moved), moved["moved"]) == (["update record www.example.com"], ["www.example.com"])
    target = account.records[zone]["www.example.com", "A"]["AliasTarget"]["DNSName"]
    assert target == "dev-private-2.eu-central-1.elb.amazonaws.com."


SHOP = {**ALIAS, "name": "shop.example.com", "resource": "alb-public"}
ELSEWHERE = {**SHOP, "target": "dev-private-2.eu-central-1.elb.amazonaws.com", "resource": "alb-private"}


def owner_of_shop(result: t.Any) -> t.Any:
    return [(one["resource"], one["former"]) for one in result["owned"] if one["name"] == SHOP["name"]]


def test_what_a_name_led_to_is_known_until_resolvers_have_forgotten_it(account: NamedAccount, zone: str) -> None:
    assert owner_of_shop(run(account, SHOP)) == [("alb-public", [])]
    fresh = account.listing()
    planned = run(account, ELSEWHERE, check_mode=True)
    moved = run(account, ELSEWHERE)
    assert owner_of_shop(planned) == owner_of_shop(moved) == [("alb-private", ["alb-public"])]
    again = run(account, ELSEWHERE)
    assert (told(again), owner_of_shop(again)) == ([], [("alb-private", ["alb-public"])])
    assert owner_of_shop(run(account, SHOP, check_mode=True)) == [("alb-public", ["alb-private"])]
    forgotten = run(account, ELSEWHERE, forget=True)
    assert told(forgotten) == ["update ownership record shop.example.com"]
    assert owner_of_shop(forgotten) == owner_of_shop(run(account, ELSEWHERE)) == [("alb-private", [])]
    run(account, SHOP)
    run(account, SHOP, forget=True)
    assert account.listing() == fresh


def test_the_ownership_record_of_a_removed_name_stays_until_it_is_forgotten(account: NamedAccount, zone: str) -> None:
    before = account.listing()
    run(account, SHOP)
    started = account.now
    removed = run(account, purge=True)
    assert (told(removed), owner_of_shop(removed)) == (["delete record shop.example.com"], [("", ["alb-public"])])
    assert account.now >= started + 30, "the removal is INSYNC"
    assert ("shop.example.com", "A") not in account.records[zone]
    assert (told(run(account, purge=True)), account.writes) == ([], [])
    assert told(run(account, purge=True, forget=True)) == ["delete ownership record shop.example.com"]
    assert account.listing() == before


def test_killed_after_each_write_of_a_move_it_converges(account: NamedAccount, zone: str) -> None:
    run(account, SHOP)
    run(account, ELSEWHERE)
    run(account, ELSEWHERE, forget=True)
    whole = account.listing()
    for position in (2, 3, 4):
        victim = NamedAccount()
        victim.zone("example.com")
        run(victim, SHOP)
        victim.killed_after = position
        with pytest.raises(Killed):
            run(victim, ELSEWHERE)
        victim.killed_after = None
        assert owner_of_shop(run(victim, ELSEWHERE)) == [("alb-private", ["alb-public"])]
        run(victim, ELSEWHERE, forget=True)
        assert victim.listing() == whole


WILD = [
    [{"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}],
    [{"Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "other.example.net"}]}],
    [
        {"Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        for kind, value in (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("MX", "10 mail.example.net"))
    ],
]


@pytest.mark.parametrize("wild", WILD)
def test_a_new_name_under_a_wildcard_is_served_all_the_time(
    account: NamedAccount, zone: str, wild: list[dict[str, t.Any]]
) -> None:
    """Its validation record ends what the wildcard stands for, long before the name has a target."""
    for record in wild:
        account.put(zone, {"Name": "*.example.com", **record})
    before = account.listing()
    own = request(account, {**WEB, "names": ["www.example.com"]})
    served = {one["Type"]: one for one in wild if one["Type"] != "MX"}
    run(account, certificates=own, kept=["www.example.com"])
    found = {kind: one for (name, kind), one in account.records[zone].items() if name == "www.example.com"}
    assert {kind: one["ResourceRecords"] for kind, one in found.items()} == {
        kind: one["ResourceRecords"] for kind, one in served.items()
    }
    assert [one for one in account.warnings if "MX" in one] == (
        ["The records MX of *.example.com do not apply to www.example.com any more: enter them for it."]
        if len(wild) > 2
        else []
    )
    assert told(run(account, certificates=own, kept=["www.example.com"])) == []
    run(account, {**ALIAS, "resource": "alb-public"}, certificates=own)
    assert [kind for name, kind in account.records[zone] if name == "www.example.com"] == ["A"]
    account.certificates.clear()
    run(account, purge=True)
    run(account, purge=True, forget=True)
    assert account.listing()[1] == before[1]


def test_the_copies_of_a_wildcard_leave_with_a_name_that_never_had_a_target(account: NamedAccount, zone: str) -> None:
    account.put(zone, {"Name": "*.example.com", **WILD[1][0]})
    before = account.listing()
    run(account, certificates=request(account, {**WEB, "names": ["www.example.com"]}), kept=["www.example.com"])
    account.certificates.clear()
    run(account, purge=True)
    assert account.listing() == before


def test_names_between_a_new_one_and_a_wildcard_are_told(account: NamedAccount, zone: str) -> None:
    account.put(zone, {"Name": "*.example.com", **WILD[0][0]})
    run(account, {**ALIAS, "name": "a.b.c.example.com"})
    assert account.warnings == [
        f"*.example.com does not stand for {name} any more, because a.b.c.example.com is below it: enter records for "
        "it."
        for name in ("b.c.example.com", "c.example.com")
    ]
    run(account, {**ALIAS, "name": "a.b.c.example.com"})
    assert account.warnings == []


def test_what_was_deleted_by_hand_comes_back(account: NamedAccount, zone: str) -> None:
    run(account, ALIAS, EDGE)
    whole = account.listing()
    for key in [key for key in account.records[zone] if key[1] in ("A", "AAAA")]:
        del account.records[zone][key]
        run(account, ALIAS, EDGE)
        assert account.listing() == whole


@pytest.mark.parametrize(
    "record",
    [
        {"Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        {"Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "other.example.net"}]},
        {
            "Type": "AAAA",
            "AliasTarget": {"HostedZoneId": "Z1", "DNSName": "other.example.net.", "EvaluateTargetHealth": False},
        },
        {"Type": "A", "SetIdentifier": "one", "Weight": 1, "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
    ],
)
def test_a_record_that_is_not_ours_is_refused_with_its_value(
    account: NamedAccount, zone: str, record: dict[str, t.Any]
) -> None:
    account.put(zone, {"Name": "www.example.com", **record})
    before = account.listing()
    with pytest.raises(InputError, match=r"did not create: (A 192\.0\.2\.1|CNAME other|AAAA other)"):
        run(account, ALIAS, EDGE)
    with pytest.raises(
        InputError, match=r"kept\[0\]: www.example.com has a record that this environment did not create"
    ):
        run(account, kept=["www.example.com"], check_mode=True)
    assert (account.writes, account.listing()) == ([], before)
    adopted = run(account, ALIAS, EDGE, adopt=["www.example.com"], check_mode=True)
    assert told(adopted)[0] == "update record www.example.com"
    value = (record.get("ResourceRecords") or [{"Value": "other.example.net"}])[0]["Value"]
    assert value in str(adopted["diff"])
    run(account, ALIAS, adopt=["www.example.com"])
    assert sorted(kind for name, kind in account.records[zone] if name == "www.example.com") == ["A"]
    assert "SetIdentifier" not in account.records[zone]["www.example.com", "A"]
    assert told(run(account, ALIAS)) == []


def test_a_name_of_another_environment_cannot_be_adopted(account: NamedAccount, zone: str) -> None:
    run(account, ALIAS, environment_name="prod")
    with pytest.raises(InputError, match=r"www.example.com belongs to the environment prod"):
        run(account, ALIAS, adopt=["www.example.com"])


def test_a_delegated_name_is_refused(account: NamedAccount, zone: str) -> None:
    account.put(zone, {"Name": "www.example.com", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.net."}]})
    with pytest.raises(InputError, match=r"www.example.com is delegated to ns.net"):
        run(account, ALIAS, adopt=["www.example.com"])


def test_a_name_of_another_environment_is_refused(account: NamedAccount, zone: str) -> None:
    run(account, ALIAS, environment_name="prod")
    with pytest.raises(InputError, match=r"www.example.com belongs to the environment prod \(eu-central-1\)"):
        run(account, ALIAS)
    with pytest.raises(InputError, match=r"www.example.com belongs to the environment prod \(eu-central-1\)"):
        run(account, ALIAS, environment_name="prod", region="us-west-2")


def test_a_wildcard_has_an_ownership_record_without_one(account: NamedAccount, zone: str) -> None:
    every = {**ALIAS, "name": "*.example.com"}
    run(account, every)
    assert ("_groundwork.dev.eu-central-1._any.example.com", "TXT") in account.records[zone]
    account.records[zone]["*.example.com", "A"]["Name"] = "\\052.example.com."  # as Route 53 tells it
    assert told(run(account, every)) == []


def test_an_undeclared_name_is_removed_with_purge_only(account: NamedAccount, zone: str) -> None:
    run(account, ALIAS, EDGE)
    assert told(run(account, ALIAS)) == []
    assert account.warnings == [
        "The names static.example.com are not declared, and their records stay. Set purge to delete them."
    ]
    assert told(run(account, ALIAS, kept=["static.example.com"], purge=True)) == []
    assert told(run(account, ALIAS, purge=True)) == ["delete record static.example.com"]
    assert {name for name, _kind in account.records[zone]} == {"example.com", "www.example.com", MARK}


def test_validation_records_are_entered_and_known_afterwards(account: NamedAccount, zone: str) -> None:
    own = request(account, WEB, SITE)
    planned = run(account, certificates=[{**one, "arn": KNOWN_AFTER_APPLY} for one in own], check_mode=True)
    done = run(account, certificates=own)
    names = ["www.example.com", "example.com", "static.example.com"]
    assert told(planned) == told(done) == [f"create record validation of {name}" for name in names]
    account.run(converge_certificates, certificates(WEB, SITE, wait=True))
    assert (told(run(account, certificates=own)), len(account.calls)) == ([], 2)
    [name] = [name for name, kind in account.records[zone] if kind == "CNAME" and name.endswith(".static.example.com")]
    del account.records[zone][name, "CNAME"]
    assert told(run(account, certificates=own)) == ["update record validation of static.example.com"]
    assert (name, "CNAME") in account.records[zone]


def test_a_validation_record_stays_as_long_as_anybody_uses_it(account: NamedAccount, zone: str) -> None:
    dev = request(account, WEB)
    run(account, certificates=dev)
    alone = account.listing()
    prod = request(account, WEB, environment_name="prod")
    run(account, certificates=prod, environment_name="prod")
    assert len([key for key in account.records[zone] if key[1] == "CNAME"]) == 2
    del account.certificates[prod[0]["arn"]]
    run(account, environment_name="prod", purge=True)
    assert account.listing()[1] == alone[1]
    assert told(run(account, purge=True)) == [], "the certificate of the environment dev is still there"
    assert account.listing()[1] == alone[1]
    del account.certificates[dev[0]["arn"]]
    run(account, certificates=[], purge=True)
    assert {kind for _name, kind in account.records[zone]} == {"NS", "SOA"}


def test_an_ownership_record_stays_with_the_environments_certificate(account: NamedAccount, zone: str) -> None:
    """Another environment uses the validation record too, and leaves first."""
    own = request(account, SITE)
    run(account, certificates=own)
    run(account, certificates=request(account, SITE, environment_name="prod"), environment_name="prod")
    shared = account.listing()[1]
    assert told(run(account, purge=True)) == []
    assert account.listing()[1] == shared
    del account.certificates[own[0]["arn"]]
    assert told(run(account, purge=True)) == ["delete record validation of static.example.com"]


def test_the_last_user_removes_a_validation_record(account: NamedAccount, zone: str) -> None:
    before = account.listing()
    own = request(account, WEB)
    run(account, certificates=own)
    del account.certificates[own[0]["arn"]]
    done = run(account, purge=True)
    assert told(done) == ["delete record validation of www.example.com", "delete record validation of example.com"]
    assert account.listing() == before


def test_a_validation_record_of_others_is_used_and_never_removed(account: NamedAccount, zone: str) -> None:
    own = request(account, SITE)
    record = account.certificates[own[0]["arn"]]["DomainValidationOptions"][0]["ResourceRecord"]
    account.put(
        zone, {"Name": record["Name"], "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": record["Value"]}]}
    )
    before = account.listing()[1]
    run(account, certificates=own)
    del account.certificates[own[0]["arn"]]
    run(account, purge=True)
    assert account.listing()[1] == before


def test_a_validation_record_of_another_account_is_refused(account: NamedAccount, zone: str) -> None:
    own = request(account, SITE)
    name = account.certificates[own[0]["arn"]]["DomainValidationOptions"][0]["ResourceRecord"]["Name"]
    account.put(
        zone, {"Name": name, "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "_other.acm-validations.aws."}]}
    )
    with pytest.raises(InputError, match=r"has the value _other.acm-validations.aws, and ACM looks for"):
        run(account, certificates=own)


def test_the_zone_must_be_the_only_public_one(account: NamedAccount) -> None:
    with pytest.raises(InputError, match=r"the account has no public zone example.com; set create"):
        run(account, ALIAS)
    private = account.zone("example.com", private=True)
    account.zone("example.com.au")
    with pytest.raises(InputError, match=rf"no public zone example.com, only the private zone {private}"):
        run(account, ALIAS)
    public = account.zone("example.com")
    run(account, ALIAS)
    other = account.zone("example.com")
    with pytest.raises(InputError, match=rf"the account has 2 public zones example.com: {public}, {other}"):
        run(account, ALIAS)


def test_a_zone_is_created_and_its_name_servers_are_told(account: NamedAccount) -> None:
    account.delegated = False
    planned = run(account, ALIAS, create=True, check_mode=True)
    done = run(account, ALIAS, create=True)
    assert told(planned) == told(done) == ["create hosted zone example.com", "create record www.example.com"]
    empty = NamedAccount()
    later = run(
        empty,
        ALIAS,
        certificates=[{"arn": KNOWN_AFTER_APPLY, "names": ["www.example.com"]}],
        planned=True,
        check_mode=True,
    )
    assert told(later) == ["create record www.example.com"]
    [warning] = account.warnings
    assert "does not point to any name server. Enter at the registrar of example.com" in warning
    assert all(server in warning for server in done["zone"]["name_servers"])
    assert (told(run(account, ALIAS, create=True)), account.warnings) == ([], [])
    run(account, ALIAS, check_delegation=True)
    assert len(account.warnings) == 1
    account.delegated = True
    assert run(account, ALIAS, check_delegation=True)["delegation"] == ""


def test_a_killed_creation_of_the_zone_is_continued(account: NamedAccount) -> None:
    account.killed_after = 1
    with pytest.raises(Killed):
        run(account, ALIAS, create=True)
    account.killed_after = None
    assert told(run(account, ALIAS, create=True)) == ["create record www.example.com"]
    assert len(account.zones) == 1


def test_what_was_deleted_is_created_again_within_an_hour(account: NamedAccount) -> None:
    """ACM and Route 53 remember the requests for what was deleted."""
    run(account, ALIAS, create=True)
    [first] = account.zones
    del account.zones[first], account.records[first]
    run(account, ALIAS, create=True)
    assert list(account.zones) != [first]
    [one] = request(account, SITE)
    account.client("acm", region="us-east-1").delete_certificate(CertificateArn=one["arn"])
    assert request(account, SITE)[0]["arn"] in account.certificates


def test_records_of_a_zone_elsewhere_are_told_and_awaited(account: NamedAccount) -> None:
    own = request(account, SITE)
    told_first = run(account, ALIAS, {**ALIAS, "name": "example.com"}, certificates=own, elsewhere=True, wait=False)
    entries = [
        (one["name"].rpartition("_")[0] or one["name"], one["type"], one["visible"]) for one in told_first["entries"]
    ]
    assert [(kind, visible) for _name, kind, visible in entries] == [("CNAME", False)] * 2 + [("ALIAS", False)]
    with pytest.raises(
        GroundworkError, match=rf"Enter where the zone example.com is run: www.example.com CNAME {TARGET}"
    ):
        run(account, ALIAS, elsewhere=True, deadline=60)
    zone = account.zone("example.com")
    account.put(
        zone, {"Name": "www.example.com", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": f"{TARGET}."}]}
    )
    seen = run(account, ALIAS, elsewhere=True)
    assert ([one["visible"] for one in seen["entries"]], seen["ttl"]) == ([True], 5)
    account.put(zone, {"Name": "example.com", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.9"}]})
    apex = {**ALIAS, "name": "example.com"}
    with pytest.raises(GroundworkError, match=r"addresses of its own to unseen \(dns_unseen\)"):
        run(account, apex, elsewhere=True, deadline=60)
    proxied = run(account, ALIAS, apex, elsewhere=True, unseen=["example.com"])
    assert [(one["name"], one["visible"]) for one in proxied["entries"]] == [
        ("www.example.com", True),
        ("example.com", True),
    ]
    assert account.calls == []


def test_the_removal_leaves_the_zone_of_others_as_it_was(account: NamedAccount, zone: str) -> None:
    account.put(zone, {"Name": "mail.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}]})
    before = account.records[zone].copy()
    run(account, ALIAS, EDGE, certificates=request(account, WEB))
    account.certificates.clear()
    sight = look_for_removal([REMOVAL], Sight(Whose("dev", "eu-central-1")), account)
    things = list(REMOVAL.things(sight))
    assert {thing.kind for thing in things} == {"record"}
    client = account.client("route53")
    for thing in things:
        for call in thing.calls:
            client.change_resource_record_sets(**call.arguments)
    assert account.records[zone] == before
    assert not list(REMOVAL.things(look_for_removal([REMOVAL], Sight(Whose("dev", "eu-central-1")), account)))


def test_a_zone_of_the_environment_stays_with_others_records(account: NamedAccount) -> None:
    run(account, ALIAS, create=True)
    [own] = account.zones
    account.put(own, {"Name": "mail.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}]})
    things = list(REMOVAL.things(look_for_removal([REMOVAL], Sight(Whose("dev", "eu-central-1")), account)))
    found = [(thing.kind, thing.name, thing.ours, thing.wish) for thing in things]
    assert found == [
        ("record", "www.example.com", True, ""),
        ("hosted zone", "example.com", True, "hosted_zones"),
        ("record", "mail.example.com A", False, ""),
    ]


def leaving_of(account: NamedAccount) -> list[str]:
    """Return what a teardown deletes, with the zones of the environment."""
    sight = look_for_removal([CERTIFICATES, REMOVAL], Sight(Whose("dev", "eu-central-1")), account)
    found = unified(thing for removal in (CERTIFICATES, REMOVAL) for thing in removal.things(sight))
    return sorted(f"{one.kind} {one.name}" for one in going(found, {"hosted_zones"}, {}))


def test_a_certificate_that_others_keep_in_use_keeps_its_validation_records(account: NamedAccount, zone: str) -> None:
    [web, site] = request(account, WEB, SITE)
    run(account, ALIAS, certificates=[web, site])
    assert leaving_of(account) == [
        "certificate alb-public",
        "certificate site",
        *(f"record validation of {name}" for name in ("example.com", "static.example.com", "www.example.com")),
        "record www.example.com",
    ]
    account.users[web["arn"]] = ["arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/0"]
    assert leaving_of(account) == [
        "certificate site",
        "record validation of static.example.com",
        "record www.example.com",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"Name": "www.example.com", "Type": "MX", "TTL": 60, "ResourceRecords": [{"Value": "10 mail.example.net"}]},
        {"Name": "mail.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.7"}]},
    ],
)
def test_the_deletion_of_a_zone_is_not_promised_while_others_use_it(
    account: NamedAccount, other: dict[str, t.Any]
) -> None:
    run(account, ALIAS, create=True)
    [own] = account.zones
    assert "hosted zone example.com" in leaving_of(account)
    account.put(own, other)
    assert leaving_of(account) == ["record www.example.com"]


def test_a_shared_validation_record_keeps_the_zone_of_the_environment(account: NamedAccount) -> None:
    run(account, create=True, certificates=[])
    run(account, certificates=request(account, SITE))
    run(account, certificates=request(account, SITE, environment_name="prod"), environment_name="prod")
    assert "hosted zone example.com" not in leaving_of(account)


def test_zones_without_names_are_not_read(account: NamedAccount, zone: str) -> None:
    account.zones[account.zone("example.org")]["ResourceRecordSetCount"] = 2
    run(account, ALIAS)
    account.calls = []
    assert leaving_of(account) == ["record www.example.com"]
    assert account.calls.count("ListResourceRecordSets") == 1
