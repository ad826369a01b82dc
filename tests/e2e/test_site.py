"""Both balancers serve their tier, and the application sees who is there."""

from __future__ import annotations

from collections import Counter

import pytest
from laptop import Laptop
from running_site import Site

LAPTOP = "198.18.0.10"
TIERS = ["public", "private"]


@pytest.mark.parametrize("tier", TIERS)
def test_every_server_of_the_tier_answers_and_counts(site: Site, tier: str) -> None:
    answers = [site.whoami(tier) for _ in range(40)]
    servers = Counter(answer["server"] for answer in answers)
    assert set(servers) == {f"{tier}-1", f"{tier}-2"}
    assert {answer["tier"] for answer in answers} == {tier}
    for server in servers:
        visits = [answer["visits"] for answer in answers if answer["server"] == server]
        assert visits == sorted(set(visits)), "the counter grows with each visit"


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("forged", [{}, {"X-Forwarded-For": "192.0.2.66"}, {"X-Forwarded-For": "10.20.0.5, 127.0.0.1"}])
def test_the_client_is_the_visitor_whatever_it_claims(site: Site, tier: str, forged: dict[str, str]) -> None:
    assert {site.whoami(tier, forged)["client"] for _ in range(4)} == {LAPTOP}


@pytest.mark.parametrize("tier", TIERS)
def test_the_page_for_people(site: Site, laptop: Laptop, tier: str) -> None:
    done = laptop.as_visitor("curl", "-s", "-m", "5", f"{site.urls[tier]}/")
    assert done.returncode == 0
    assert "<html" in done.stdout.lower()
