"""One run of all modules builds what an undisturbed one builds, however AWS and the way to it behave."""

from __future__ import annotations

import typing as t

import pytest
from account_listing import Listing, differences, without_ids
from accounts.teardown import Build
from cloud import WEATHER, NewCloud


@pytest.mark.parametrize("weather", ["late", "late by turns"])
def test_modules_after_each_other(
    new_cloud: NewCloud, build: Build, listing: t.Callable[[], Listing], weather: str
) -> None:
    build(new_cloud())
    undisturbed = without_ids(listing())
    cloud = new_cloud()
    cloud.plane.faults.set(*WEATHER[weather])
    build(cloud)
    cloud.plane.faults.clear()
    assert differences(undisturbed, without_ids(listing())) == []
