from __future__ import annotations

import pytest
from control_plane import Lab


@pytest.mark.correction(
    "ec2:DescribeVpcBlockPublicAccessOptions", "An account has the options of VPC Block Public Access, off at first."
)
def test_block_public_access(lab: Lab) -> None:
    told = lab.ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert (told["InternetGatewayBlockMode"], told["State"]) == ("off", "default-state")
    lab.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    told = lab.ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert (told["InternetGatewayBlockMode"], told["AwsRegion"]) == ("block-bidirectional", "eu-central-1")
    modify = lab.ec2.modify_vpc_block_public_access_options
    lab.refused("InvalidParameterValue", modify, InternetGatewayBlockMode="sometimes")


@pytest.mark.correction("ec2:GetEbsDefaultKmsKeyId", "The default key of EBS is AWS' own, until it is changed.")
def test_the_default_key_of_ebs(lab: Lab) -> None:
    assert lab.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
    key = lab.client("kms").create_key()["KeyMetadata"]["Arn"]
    lab.ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    assert lab.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key
    lab.ec2.reset_ebs_default_kms_key_id()
    assert lab.ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
