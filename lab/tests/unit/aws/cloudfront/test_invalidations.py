"""Invalidations: in progress until the edge has applied them, and limited in number."""

from __future__ import annotations

from typing import Any

import pytest


def batch(*paths: str, reference: str = "one") -> dict[str, Any]:
    return {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": reference}


@pytest.fixture
def distribution(cdn: Any) -> str:
    return str(cdn.distribution()["Distribution"]["Id"])


def create(cdn: Any, distribution: str, *paths: str, reference: str = "one") -> dict[str, Any]:
    made = cdn.api.create_invalidation(
        DistributionId=distribution, InvalidationBatch=batch(*paths, reference=reference)
    )
    return dict(made["Invalidation"])


def test_a_life(cdn: Any, distribution: str) -> None:
    made = create(cdn, distribution, "/index.html", "/guide/*")
    assert made["Status"] == "InProgress"
    assert made["InvalidationBatch"] == batch("/index.html", "/guide/*")
    world = cdn.lab.plane.snapshot()
    assert [each.paths for each in world.distributions[distribution].invalidations] == [("/index.html", "/guide/*")]
    described = cdn.api.get_distribution(Id=distribution)["Distribution"]
    assert described["InProgressInvalidationBatches"] == 1

    later = create(cdn, distribution, "/", reference="two")
    cdn.lab.plane.reconciled(world)
    found = {each["Id"]: each["Status"] for each in listed(cdn, distribution)}
    assert found == {later["Id"]: "InProgress", made["Id"]: "Completed"}

    cdn.followed()
    cdn.api.get_waiter("invalidation_completed").wait(DistributionId=distribution, Id=later["Id"])
    assert cdn.lab.plane.snapshot().distributions[distribution].invalidations == ()


def listed(cdn: Any, distribution: str) -> list[dict[str, Any]]:
    return list(cdn.api.list_invalidations(DistributionId=distribution)["InvalidationList"]["Items"])


def test_the_same_batch_is_made_once(cdn: Any, distribution: str) -> None:
    made = create(cdn, distribution, "/a")
    assert create(cdn, distribution, "/a")["Id"] == made["Id"]
    other = {"DistributionId": distribution, "InvalidationBatch": batch("/b")}
    cdn.lab.refused("InvalidArgument", cdn.api.create_invalidation, **other)
    assert len(listed(cdn, distribution)) == 1


@pytest.mark.parametrize("path", ["index.html", "/a*b", "/with space", "/ümlaut", ""])
def test_paths_that_aws_refuses(cdn: Any, distribution: str, path: str) -> None:
    wanted = {"DistributionId": distribution, "InvalidationBatch": batch(path)}
    cdn.lab.refused("InvalidArgument", cdn.api.create_invalidation, **wanted)


def test_no_more_in_progress_than_aws_takes(cdn: Any, distribution: str) -> None:
    create(cdn, distribution, *(f"/{number}/*" for number in range(15)))
    create(cdn, distribution, *(f"/{number}" for number in range(3000)), reference="two")
    for paths in (["/more/*"], ["/more"]):
        wanted = {"DistributionId": distribution, "InvalidationBatch": batch(*paths, reference="three")}
        cdn.lab.refused("TooManyInvalidationsInProgress", cdn.api.create_invalidation, **wanted)
    cdn.followed()
    create(cdn, distribution, "/more/*", reference="three")


def test_the_newest_come_first_in_pages(cdn: Any, distribution: str) -> None:
    made = [create(cdn, distribution, "/a", reference=str(number))["Id"] for number in range(3)]
    first = cdn.api.list_invalidations(DistributionId=distribution, MaxItems="2")["InvalidationList"]
    rest = cdn.api.list_invalidations(DistributionId=distribution, MaxItems="2", Marker=first["NextMarker"])
    found = [*first["Items"], *rest["InvalidationList"]["Items"]]
    assert [each["Id"] for each in found] == made[::-1]


def test_what_is_not_there(cdn: Any, distribution: str) -> None:
    cdn.lab.refused("NoSuchInvalidation", cdn.api.get_invalidation, DistributionId=distribution, Id="I2")
    cdn.lab.refused("NoSuchDistribution", cdn.api.list_invalidations, DistributionId="E2")
