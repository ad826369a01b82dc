from __future__ import annotations

import base64
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.templates import Template, Version, check_name, merged
from groundwork_lab.model import MetadataOptions


def tag_list(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


ROOT = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 10, "Encrypted": True}}


@pytest.mark.parametrize(
    ("template", "request_", "launch"),
    [
        pytest.param({"ImageId": "ami-1"}, {}, {"ImageId": "ami-1"}, id="from-the-template"),
        pytest.param({"ImageId": "ami-1"}, {"ImageId": "ami-2"}, {"ImageId": "ami-2"}, id="overridden"),
        pytest.param({"ImageId": "ami-1"}, {"ImageId": None}, {"ImageId": "ami-1"}, id="not-given"),
        pytest.param(
            {"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}},
            {"MetadataOptions": {"HttpPutResponseHopLimit": 2}},
            {"MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}},
            id="members-of-a-structure",
        ),
        pytest.param(
            {"IamInstanceProfile": {"Arn": "arn:x"}},
            {"IamInstanceProfile": {"Name": "x"}},
            {"IamInstanceProfile": {"Name": "x"}},
            id="a-profile-is-named-in-one-way",
        ),
        pytest.param(
            {"SecurityGroups": ["web"]},
            {"SecurityGroupIds": ["sg-1"]},
            {"SecurityGroupIds": ["sg-1"]},
            id="groups-by-id-override-groups-by-name",
        ),
        pytest.param(
            {"BlockDeviceMappings": [ROOT]},
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}]},
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "Encrypted": True}}]},
            id="a-device-by-its-name",
        ),
        pytest.param(
            {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1"]}]},
            {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1"}]},
            {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1"], "SubnetId": "subnet-1"}]},
            id="an-interface-by-its-index",
        ),
        pytest.param(
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": tag_list(a="1", b="1")}]},
            {
                "TagSpecifications": [
                    {"ResourceType": "instance", "Tags": tag_list(b="2")},
                    {"ResourceType": "volume", "Tags": tag_list(c="3")},
                ]
            },
            {
                "TagSpecifications": [
                    {"ResourceType": "instance", "Tags": tag_list(a="1", b="2")},
                    {"ResourceType": "volume", "Tags": tag_list(c="3")},
                ]
            },
            id="tags-by-type-and-key",
        ),
    ],
)
def test_what_a_launch_makes_of_a_template(
    template: dict[str, Any], request_: dict[str, Any], launch: dict[str, Any]
) -> None:
    assert merged(template, request_) == launch


@pytest.mark.parametrize("name", ["ab", "x" * 129, "a b c", "a:b"])
def test_names_that_aws_refuses(name: str) -> None:
    with pytest.raises(AwsError):
        check_name(name)


@pytest.mark.parametrize(
    ("wanted", "number"), [(None, 1), ("$Default", 1), ("$Latest", 3), ("3", 3), ("2", None), ("newest", None)]
)
def test_versions(wanted: str | None, number: int | None) -> None:
    template = Template("lt-1", "web", {each: Version(each, {}, None) for each in (1, 3)})
    if number is None:
        with pytest.raises(AwsError):
            template.version(wanted)
    else:
        assert template.version(wanted).number == number


@pytest.fixture
def subnet(lab: Lab) -> str:
    return str(lab.subnet(lab.vpc()))


def make(lab: Lab, name: str = "web", **data: Any) -> str:
    data.setdefault("InstanceType", "t3.micro")
    made = lab.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


@pytest.mark.correction(
    "ec2:CreateLaunchTemplateVersion", "SourceVersion is the base of the new version, and numbers are not used again."
)
@pytest.mark.correction(
    "ec2:DescribeLaunchTemplateVersions",
    "Versions are listed from the newest, and $Default and $Latest over all templates.",
)
@pytest.mark.correction("ec2:ModifyLaunchTemplate", "The default version can be changed.")
def test_a_template_and_its_versions(lab: Lab, tagged: Any) -> None:
    made = lab.ec2.create_launch_template(
        LaunchTemplateName="web",
        VersionDescription="first",
        LaunchTemplateData={"ImageId": lab.image, "InstanceType": "t3.micro"},
        TagSpecifications=tagged("launch-template", tier="public"),
    )["LaunchTemplate"]
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    assert made["Tags"] == tag_list(tier="public")
    second = lab.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )["LaunchTemplateVersion"]
    assert second["LaunchTemplateData"] == {"ImageId": lab.image, "InstanceType": "t3.small"}
    assert (second["VersionNumber"], second["DefaultVersion"]) == (2, False)
    lab.ec2.modify_launch_template(LaunchTemplateName="web", DefaultVersion="2")
    [found] = lab.ec2.describe_launch_templates(Filters=[{"Name": "tag:tier", "Values": ["public"]}])["LaunchTemplates"]
    assert (found["DefaultVersionNumber"], found["LatestVersionNumber"]) == (2, 2)
    listed = lab.ec2.describe_launch_template_versions(LaunchTemplateName="web")["LaunchTemplateVersions"]
    assert [(each["VersionNumber"], each["DefaultVersion"]) for each in listed] == [(2, True), (1, False)]
    [default] = lab.ec2.describe_launch_template_versions(Versions=["$Default"])["LaunchTemplateVersions"]
    assert default["VersionNumber"] == 2
    answer = lab.ec2.delete_launch_template_versions(LaunchTemplateName="web", Versions=["1", "2", "7"])
    assert [each["VersionNumber"] for each in answer["SuccessfullyDeletedLaunchTemplateVersions"]] == [1]
    assert [each["VersionNumber"] for each in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]] == [2, 7]
    third = lab.ec2.create_launch_template_version(
        LaunchTemplateName="web", LaunchTemplateData={"InstanceType": "t3.small"}
    )["LaunchTemplateVersion"]
    assert third["VersionNumber"] == 3
    lab.ec2.delete_launch_template(LaunchTemplateName="web")
    assert lab.ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert lab.ec2.describe_tags()["Tags"] == []


@pytest.mark.correction("ec2:CreateLaunchTemplate", "Names are unique and valid, and user data is Base64.")
@pytest.mark.correction("ec2:DeleteLaunchTemplate", "A template is named by its id or its name.")
@pytest.mark.correction("ec2:DescribeLaunchTemplates", "Unknown and malformed ids and names are refused.")
@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        (
            "create_launch_template",
            {"LaunchTemplateName": "web", "LaunchTemplateData": {"ImageId": "ami-1"}},
            "InvalidLaunchTemplateName.AlreadyExistsException",
        ),
        (
            "create_launch_template",
            {"LaunchTemplateName": "w b", "LaunchTemplateData": {"ImageId": "ami-1"}},
            "InvalidLaunchTemplateName.MalformedException",
        ),
        (
            "create_launch_template",
            {"LaunchTemplateName": "new", "LaunchTemplateData": {"UserData": "no base64!"}},
            "InvalidParameterValue",
        ),
        (
            "create_launch_template_version",
            {"LaunchTemplateName": "web", "SourceVersion": "9", "LaunchTemplateData": {"ImageId": "ami-1"}},
            "InvalidLaunchTemplateId.VersionNotFound",
        ),
        (
            "modify_launch_template",
            {"LaunchTemplateName": "web", "DefaultVersion": "9"},
            "InvalidLaunchTemplateId.VersionNotFound",
        ),
        ("describe_launch_template_versions", {"Versions": ["1"]}, "MissingParameter"),
        (
            "describe_launch_templates",
            {"LaunchTemplateIds": ["lt-0123456789abcdef0"]},
            "InvalidLaunchTemplateId.NotFound",
        ),
        ("describe_launch_templates", {"LaunchTemplateIds": ["web"]}, "InvalidLaunchTemplateId.Malformed"),
        (
            "describe_launch_templates",
            {"LaunchTemplateNames": ["unknown"]},
            "InvalidLaunchTemplateName.NotFoundException",
        ),
        ("delete_launch_template", {}, "MissingParameter"),
    ],
)
def test_what_aws_refuses(lab: Lab, operation: str, arguments: dict[str, Any], code: str) -> None:
    make(lab)
    lab.refused(code, getattr(lab.ec2, operation), **arguments)
    assert len(lab.ec2.describe_launch_templates()["LaunchTemplates"]) == 1


@pytest.mark.correction("ec2:RunInstances", "A launch has the settings and the tags of its template.", data_plane=True)
def test_a_launch_from_a_template(lab: Lab, subnet: str, tagged: Any, public_key: bytes) -> None:
    lab.ec2.import_key_pair(KeyName="me", PublicKeyMaterial=public_key)
    group = lab.group(lab.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"])
    iam = lab.client("iam")
    iam.create_instance_profile(InstanceProfileName="web")
    template = make(
        lab,
        ImageId=lab.image,
        KeyName="me",
        UserData=base64.b64encode(b"#!/bin/sh\n").decode(),
        IamInstanceProfile={"Name": "web"},
        MetadataOptions={"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
        NetworkInterfaces=[{"DeviceIndex": 0, "Groups": [group], "AssociatePublicIpAddress": True, "SubnetId": subnet}],
        BlockDeviceMappings=[ROOT],
        TagSpecifications=[*tagged("instance", Name="web"), *tagged("volume", Name="disk")],
    )
    made = lab.ec2.run_instances(
        MinCount=1,
        MaxCount=1,
        LaunchTemplate={"LaunchTemplateId": template},
        TagSpecifications=tagged("instance", tier="public"),
    )["Instances"][0]
    world = lab.plane.snapshot()
    instance = world.instances[made["InstanceId"]]
    assert (instance.image_id, instance.key_name, instance.user_data) == (lab.image, "me", b"#!/bin/sh\n")
    assert instance.metadata == MetadataOptions("required", 1, enabled=True, tags=True)
    assert instance.instance_profile_arn is not None
    assert instance.instance_profile_arn.endswith(":instance-profile/web")
    interface = world.interfaces[instance.interface_id]
    assert (interface.subnet_id, interface.security_group_ids) == (subnet, (group,))
    assert interface.public_ip is not None
    assert lab.ec2.describe_volumes()["Volumes"][0]["Size"] == 10
    tags = {tag["Key"]: tag["Value"] for tag in lab.instance(instance.id)["Tags"]}
    assert tags == {
        "Name": "web",
        "tier": "public",
        "aws:ec2launchtemplate:id": template,
        "aws:ec2launchtemplate:version": "1",
    }


def test_a_launch_of_a_version(lab: Lab, subnet: str) -> None:
    make(lab, ImageId=lab.image)
    lab.ec2.create_launch_template_version(
        LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    for version, kind in (("$Latest", "t3.small"), ("$Default", "t3.micro"), ("2", "t3.small")):
        made = lab.ec2.run_instances(
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet,
            LaunchTemplate={"LaunchTemplateName": "web", "Version": version},
        )
        assert made["Instances"][0]["InstanceType"] == kind


@pytest.mark.correction("ec2:RunInstances", "A subnet in the request and interfaces in the template are refused.")
def test_an_interface_of_the_template_and_a_subnet_of_the_request(lab: Lab, subnet: str) -> None:
    make(lab, ImageId=lab.image, NetworkInterfaces=[{"DeviceIndex": 0, "AssociatePublicIpAddress": True}])
    request = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet, "LaunchTemplate": {"LaunchTemplateName": "web"}}
    lab.refused("InvalidParameterCombination", lab.ec2.run_instances, **request)


@pytest.mark.correction("ec2:RunInstances", "An instance profile in the template must exist.")
def test_an_unknown_profile_in_a_template(lab: Lab, subnet: str) -> None:
    make(lab, ImageId=lab.image, IamInstanceProfile={"Name": "unknown"})
    request = {"MinCount": 1, "MaxCount": 1, "SubnetId": subnet, "LaunchTemplate": {"LaunchTemplateName": "web"}}
    assert "Invalid IAM Instance Profile name" in lab.refused("InvalidParameterValue", lab.ec2.run_instances, **request)
