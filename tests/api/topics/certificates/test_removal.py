"""Certificates leave with their environment, and what uses them is told."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from named_account import NamedAccount
from topic_options.names import SITE, WEB, certificates

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import apply
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Thing, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import plan_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import look
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import ALL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.removal import REMOVAL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import converge_certificates


def things(account: NamedAccount) -> list[Thing]:
    return list(REMOVAL.things(look([REMOVAL], Sight(Whose("dev", "eu-central-1")), account)))


@pytest.fixture
def account() -> NamedAccount:
    made = NamedAccount()
    made.run(converge_certificates, certificates(WEB, SITE))
    made.run(converge_certificates, certificates(WEB, environment_name="prod"))
    made.run(converge_certificates, certificates({**SITE, "region": None}, region="us-east-1"))
    return made


def test_users_are_found_by_their_own_topics_first() -> None:
    """What comes first says whose a resource is."""
    kinds = [removal.kinds for removal in ALL]
    own = kinds.index(REMOVAL.kinds)
    assert all(any(kind in each for each in kinds[:own]) for kind in ("load balancer", "distribution"))


def test_only_the_environments_certificates_of_both_regions_are_deleted(account: NamedAccount) -> None:
    found = things(account)
    assert [(thing.kind, thing.name, thing.ours) for thing in found] == [
        ("certificate", "alb-public", True),
        ("certificate", "site", True),
    ]
    apply(plan_removal(found), account, {}, account)
    assert (things(account), len(account.certificates)) == ([], 2)


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ("arn:aws:cloudfront::123456789012:distribution/E1", "distribution"),
        ("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shop/0", "load balancer"),
        ("arn:aws:apigateway:eu-central-1::/domainnames/x", "resource"),
    ],
)
def test_what_uses_a_certificate_keeps_it(account: NamedAccount, user: str, kind: str) -> None:
    [arn, *_others] = account.certificates
    account.users[arn] = [user]
    keepers: list[t.Any] = [thing for thing in things(account) if not thing.ours]
    assert [(one.kind, one.id, one.needs) for one in keepers] == [(kind, user, {arn})]


def test_the_tags_of_others_certificates_are_not_read_one_by_one(account: NamedAccount) -> None:
    """Only those that are so new that the tagging API may not report them yet are."""
    for one in account.certificates.values():
        one["CreatedAt"] = datetime.now(UTC) - timedelta(days=1)
    account.calls = []
    assert len(things(account)) == 2
    assert sorted(account.calls) == [
        *["DescribeCertificate"] * 2,
        *["GetResources"] * 2,
        *["ListCertificates"] * 2,
    ]
    account.tagging_is_late = True
    assert things(account) == []
    for one in account.certificates.values():
        one["CreatedAt"] = datetime.now(UTC)
    assert len(things(account)) == 2
