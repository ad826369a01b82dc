from __future__ import annotations

import pytest
from control_plane import Lab

from groundwork_lab import settings

NAME = "com.amazonaws.global.cloudfront.origin-facing"
UNKNOWN = "pl-0123456789abcdef0"


def origin_facing(lab: Lab) -> str:
    filters = [{"Name": "prefix-list-name", "Values": [NAME]}, {"Name": "owner-id", "Values": ["AWS"]}]
    [found] = lab.ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
    assert (found["OwnerId"], found["AddressFamily"], found["State"]) == ("AWS", "IPv4", "create-complete")
    assert found["PrefixListArn"] == f"arn:aws:ec2:eu-central-1:aws:prefix-list/{found['PrefixListId']}"
    assert "MaxEntries" not in found
    return str(found["PrefixListId"])


@pytest.mark.correction(
    "ec2:GetManagedPrefixListEntries",
    "The edge connects to origins from the addresses in CloudFront's list, and nothing else does.",
    page="https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html",
    also=("PrefixListsBackend.create_default_pls",),
)
def test_the_list_of_the_edge_has_the_address_from_which_it_connects(lab: Lab) -> None:
    [entry] = lab.ec2.get_managed_prefix_list_entries(PrefixListId=origin_facing(lab))["Entries"]
    assert entry["Cidr"] == f"{settings.ORIGIN_FACING}/32"
    lab.refused("InvalidPrefixListID.NotFound", lab.ec2.get_managed_prefix_list_entries, PrefixListId=UNKNOWN)


@pytest.mark.correction("ec2:DescribeManagedPrefixLists", "An unknown id is refused.")
def test_lists_that_do_not_exist(lab: Lab) -> None:
    lab.refused("InvalidPrefixListID.NotFound", lab.ec2.describe_managed_prefix_lists, PrefixListIds=[UNKNOWN])


@pytest.mark.correction("ec2:ModifyManagedPrefixList", "A list of AWS cannot be modified.")
def test_lists_of_aws_stay_as_they_are(lab: Lab) -> None:
    ours = lab.ec2.create_managed_prefix_list(PrefixListName="ours", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]
    more = [{"Cidr": "192.0.2.0/24"}]
    modify = lab.ec2.modify_managed_prefix_list
    lab.refused("OperationNotPermitted", modify, PrefixListId=origin_facing(lab), AddEntries=more)
    lab.refused("InvalidPrefixListID.NotFound", modify, PrefixListId=UNKNOWN, AddEntries=more)
    modify(PrefixListId=ours["PrefixListId"], CurrentVersion=ours["Version"], AddEntries=more)
    [entry] = lab.ec2.get_managed_prefix_list_entries(PrefixListId=ours["PrefixListId"])["Entries"]
    assert entry["Cidr"] == "192.0.2.0/24"


@pytest.mark.correction("ec2:DeleteManagedPrefixList", "A list of AWS cannot be deleted.")
def test_lists_of_aws_are_not_deleted(lab: Lab) -> None:
    ours = lab.ec2.create_managed_prefix_list(PrefixListName="ours", MaxEntries=1, AddressFamily="IPv4")["PrefixList"]
    delete = lab.ec2.delete_managed_prefix_list
    lab.refused("OperationNotPermitted", delete, PrefixListId=origin_facing(lab))
    lab.refused("InvalidPrefixListID.NotFound", delete, PrefixListId=UNKNOWN)
    assert delete(PrefixListId=ours["PrefixListId"])["PrefixList"]["State"] == "delete-complete"
