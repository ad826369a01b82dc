"""Certificates: plan = run, crash safety, replacement without a failed request, and the messages of ACM's failures."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from cloud import Killed, told
from named_account import NamedAccount
from topic_options.names import SITE, WEB, certificates, records

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import converge_certificates
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.run import converge_records

MORE = {**WEB, "names": [*WEB["names"], "shop.example.com"]}


@pytest.fixture
def account() -> NamedAccount:
    made = NamedAccount()
    made.zone("example.com")
    return made


def validate(account: NamedAccount, result: t.Mapping[str, t.Any]) -> None:
    """Enter the validation records of a result, and wait for the certificates."""
    own = [{"arn": one["arn"], "names": one["names"]} for one in result["certificates"]]
    account.run(lambda run: converge_records(run, account), records(certificates=own))


def issue(account: NamedAccount, *wanted: t.Mapping[str, t.Any]) -> list[str]:
    """Return the ARNs of issued certificates."""
    validate(account, account.run(converge_certificates, certificates(*wanted)))
    result = account.run(converge_certificates, certificates(*wanted, wait=True))
    return [one["arn"] for one in result["certificates"]]


def test_the_plan_of_an_empty_account_is_the_run(account: NamedAccount) -> None:
    planned = account.run(converge_certificates, certificates(WEB, SITE), check_mode=True)
    assert account.writes == []
    assert [one["arn"] for one in planned["certificates"]] == [KNOWN_AFTER_APPLY] * 2
    done = account.run(converge_certificates, certificates(WEB, SITE))
    assert told(planned) == told(done) == ["create certificate alb-public", "create certificate site"]
    assert planned["pending"] == done["pending"] == ["alb-public", "site"]
    web, site = done["certificates"]
    assert (web["arn"].split(":")[3], site["arn"].split(":")[3]) == ("eu-central-1", "us-east-1")
    assert [one["name"].partition(".")[2] for one in web["validations"]] == ["www.example.com", "example.com"]
    assert all(one["type"] == "CNAME" for one in web["validations"])


def test_an_issued_certificate_takes_two_calls_for_each_region(account: NamedAccount) -> None:
    arns = issue(account, WEB, SITE)
    again = account.run(converge_certificates, certificates(WEB, SITE))
    assert (told(again), again["pending"], again["replaced"]) == ([], [], [])
    assert [one["arn"] for one in again["certificates"]] == arns
    assert sorted(account.calls) == ["GetResources"] * 2 + ["ListCertificates"] * 2


@pytest.mark.parametrize("late", [False, True])
def test_killed_after_the_request_it_requests_no_second_certificate(account: NamedAccount, *, late: bool) -> None:
    account.tagging_is_late = late
    account.killed_after = 2
    with pytest.raises(Killed):
        account.run(converge_certificates, certificates(WEB))
    account.killed_after = None
    account.run(converge_certificates, certificates(WEB))
    assert len(account.certificates) == 1


def test_a_name_that_is_added_takes_another_certificate_and_the_former_one_serves_until_then(
    account: NamedAccount,
) -> None:
    [former] = issue(account, WEB)
    listener = account.listen("dev-public", former)
    first = account.run(converge_certificates, certificates(MORE, replaced="delete"))
    assert (told(first), first["replaced"]) == (["create certificate alb-public"], [former])
    account.certificates.pop(first["certificates"][0]["arn"])
    account.listeners[listener] = ["another", former]
    planned = account.run(converge_certificates, certificates(MORE, replaced="delete", planned=True), check_mode=True)
    assert former in account.certificates
    [current] = issue(account, MORE)
    account.listeners[listener] = [current, former]  # as the module of load balancers does
    account.run(converge_certificates, certificates(MORE))
    assert former in account.certificates
    done = account.run(converge_certificates, certificates(MORE, replaced="delete"))
    assert told(done) == [f"delete certificate alb-public ({former.rpartition('/')[2]})"]
    assert account.writes == ["RemoveListenerCertificates", "DeleteCertificate"]
    assert (list(account.certificates), account.listeners[listener]) == ([current], [current])
    assert told(planned) == told(done)
    assert told(account.run(converge_certificates, certificates(MORE, replaced="delete"))) == []


def test_a_listener_of_another_environment_keeps_a_certificate_that_it_offers(account: NamedAccount) -> None:
    """The name of its load balancer begins like those of this environment."""
    [former] = issue(account, WEB)
    issue(account, MORE)
    listener = account.listen("dev-eu-public", "another", former, environment="dev-eu")
    done = account.run(converge_certificates, certificates(MORE, replaced="delete"))
    assert (told(done), account.writes) == ([], [])
    assert account.listeners[listener] == ["another", former]
    [warning] = account.warnings
    assert f"The certificate alb-public ({former}) stays, because arn:aws:" in warning


@pytest.mark.parametrize("user", ["default", "foreign", "distribution"])
def test_a_replaced_certificate_that_is_in_use_stays_and_is_told(account: NamedAccount, user: str) -> None:
    [former] = issue(account, WEB)
    issue(account, MORE)
    if user == "distribution":
        account.users[former] = ["arn:aws:cloudfront::123456789012:distribution/E1"]
    else:
        account.listen("dev-public" if user == "default" else "shop", former)
    done = account.run(converge_certificates, certificates(MORE, replaced="delete"))
    assert (told(done), account.writes) == ([], [])
    [warning] = account.warnings
    assert f"The certificate alb-public ({former}) stays, because arn:aws:" in warning


def test_a_distribution_that_has_another_certificate_is_reported_for_some_time(account: NamedAccount) -> None:
    [former] = issue(account, SITE)
    more = {**SITE, "names": [*SITE["names"], "cdn.example.com"]}
    issue(account, more)
    account.users[former] = ["arn:aws:cloudfront::123456789012:distribution/E1"]
    sleep = account.sleep

    def release(seconds: float) -> None:
        sleep(seconds)
        account.users.clear()

    account.sleep = release
    [change] = told(account.run(converge_certificates, certificates(more, replaced="delete")))
    assert (change.startswith("delete certificate site"), former in account.certificates) == (True, False)


def test_a_failed_certificate_is_told_and_requested_again(account: NamedAccount) -> None:
    account.refused_by_caa = True
    with pytest.raises(
        GroundworkError, match=r'CAA record of the domain does not allow Amazon.*CAA 0 issue "amazon.com"'
    ):
        issue(account, WEB)
    account.refused_by_caa = False
    [arn] = issue(account, WEB)
    assert (account.certificates[arn]["Status"], account.certificates.keys() > {arn}) == ("ISSUED", True)
    account.run(converge_certificates, certificates(WEB, replaced="delete"))
    assert list(account.certificates) == [arn]


def test_a_pending_validation_is_told_with_the_record_that_acm_looks_for(account: NamedAccount) -> None:
    account.run(converge_certificates, certificates(WEB))
    with pytest.raises(GroundworkError) as caught:
        account.run(converge_certificates, certificates(WEB, wait=True, deadline=60))
    message = str(caught.value)
    assert "Timed out after 60 s waiting for the certificate alb-public (www.example.com, example.com)" in message
    assert "validation of example.com, www.example.com as pending: it looks for the records _" in message
    assert "the parent domain delegates the zone" in message


def test_a_certificate_that_will_not_renew_is_told(account: NamedAccount) -> None:
    [arn] = issue(account, WEB)
    option = {"DomainName": "www.example.com", "ValidationStatus": "PENDING_VALIDATION"}
    account.certificates[arn] |= {
        "NotAfter": datetime.now(UTC) + timedelta(days=29),
        "RenewalSummary": {"RenewalStatus": "PENDING_VALIDATION", "DomainValidationOptions": [option]},
    }
    account.run(converge_certificates, certificates(WEB))
    [warning] = account.warnings
    assert "its renewal is PENDING_VALIDATION. The validation of www.example.com is pending" in warning


def test_tags_and_undeclared_certificates(account: NamedAccount) -> None:
    issue(account, WEB, SITE)
    tagged = certificates(WEB, tags={"team": "web"})
    assert told(account.run(converge_certificates, tagged)) == ["update tags certificate alb-public"]
    assert account.warnings == []  # the region of the other one is not read
    purge = certificates({**SITE, "region": None}, tags={}, purge=True)
    done = account.run(converge_certificates, purge)
    assert [change.split(" (")[0] for change in told(done)] == [
        "create certificate site",
        "delete certificate alb-public",
        "delete certificate site",
    ]


def test_another_environments_certificate_is_not_taken(account: NamedAccount) -> None:
    issue(account, WEB)
    other = account.run(converge_certificates, certificates(WEB, environment_name="prod"))
    assert (told(other), len(account.certificates)) == (["create certificate alb-public"], 2)
    elsewhere = account.run(converge_certificates, certificates(SITE, region="us-west-2"))
    again = account.run(converge_certificates, certificates(SITE))
    assert told(elsewhere) == told(again) == ["create certificate site"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"Status": "EXPIRED"}, "has the status EXPIRED"),
        ({"NotAfter": datetime(2026, 1, 1, tzinfo=UTC)}, "expired at 2026-01-01"),
        ({"Names": ["*.example.com"], "DomainName": "*.example.com"}, "and not for example.com"),
    ],
)
def test_a_given_certificate_is_checked(account: NamedAccount, change: dict[str, t.Any], wrong: str) -> None:
    [arn] = issue(account, WEB)
    given = [{"arn": arn, "names": WEB["names"]}]
    assert told(account.run(converge_certificates, certificates(given=given))) == []
    account.certificates[arn] |= change
    with pytest.raises(InputError, match=wrong):
        account.run(converge_certificates, certificates(given=given))
    missing = [{"arn": f"{arn[:-1]}1", "names": WEB["names"]}]
    with pytest.raises(InputError, match="does not exist in this account"):
        account.run(converge_certificates, certificates(given=missing))
