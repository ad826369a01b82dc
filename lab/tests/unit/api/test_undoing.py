"""A refused call changes nothing, regardless of what moto did before it refused."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.api import undoing


def test_every_kind_of_container_gets_back_what_it_had(lab: Lab) -> None:
    backend, pool = lab.plane.context.ec2, lab.plane.context.pool
    listed, named, ordered, queue = [1], {"a": {"b"}}, OrderedDict(x=1, y=2), deque([1, 2])
    backend.kept = (listed, named, ordered, queue)
    inner, taken, attributes = named["a"], pool._taken, set(vars(backend))
    undo = undoing.remember(lab.plane.context, without={"s3"})
    listed.append(2)
    inner.add("c")
    named["a"] = set()
    ordered.move_to_end("x")
    queue.clear()
    backend.more = pool.allocate()
    undo()
    assert (listed, named, list(ordered), queue) == ([1], {"a": {"b"}}, ["x", "y"], deque([1, 2]))
    assert named["a"] is inner
    assert set(vars(backend)) == attributes
    assert (pool._taken, pool._last) == (set(), None)
    assert pool._taken is taken


def test_what_a_call_did_before_it_was_refused_or_failed_is_taken_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    subnet = lab.subnet(lab.vpc())
    address = lab.address()
    before = lab.plane.snapshot()
    changes = len(lab.changes)
    errors: list[Exception] = [KeyError("halfway"), StopIteration(), RecursionError()]

    def halfway(backend: Any, *arguments: object, **options: object) -> None:
        backend.vpcs.clear()
        backend.get_subnet(subnet).map_public_ip_on_launch = True
        backend.addresses.clear()
        backend.create_internet_gateway()
        raise errors.pop()

    monkeypatch.setattr(type(lab.plane.context.ec2), "create_key_pair", halfway)
    while errors:
        lab.refused("UnsupportedOperation", lab.ec2.create_key_pair, KeyName="one")
    assert lab.plane.snapshot() == before
    assert len(lab.changes) == changes
    assert lab.ec2.describe_addresses()["Addresses"][0]["AllocationId"] == address
    assert not lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["MapPublicIpOnLaunch"]


def test_a_refused_association_of_a_network_acl_changes_nothing(lab: Lab) -> None:
    """Test a call in which moto removes the association before it looks up the new ACL."""
    vpc, other = lab.vpc(), lab.vpc("10.1.0.0/16")
    subnet = lab.subnet(vpc)
    [acl] = lab.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    association = acl["Associations"][0]["NetworkAclAssociationId"]
    foreign = lab.ec2.create_network_acl(VpcId=other)["NetworkAcl"]["NetworkAclId"]
    before = lab.plane.snapshot()
    replace = lab.ec2.replace_network_acl_association
    for code, wrong in (
        ("InvalidNetworkAclID.NotFound", {"NetworkAclId": "acl-0123456789abcdef0"}),
        ("InvalidAssociationID.NotFound", {"AssociationId": "aclassoc-0123456789abcdef0"}),
        ("InvalidParameterValue", {"NetworkAclId": foreign}),
    ):
        lab.refused(code, replace, **{"AssociationId": association, "NetworkAclId": acl["NetworkAclId"], **wrong})
    assert lab.plane.snapshot() == before
    own = lab.ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    replace(AssociationId=association, NetworkAclId=own)
    assert lab.plane.snapshot().subnets[subnet].network_acl_id == own
