"""EC2's responses for launch templates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import AwsError, refuse
from groundwork_lab.aws.ec2.instances import decoded_user_data
from groundwork_lab.aws.ec2.tagging import check_tags
from groundwork_lab.aws.ec2.templates import DEFAULT, LATEST, Data, Template, Version

LONGEST_DESCRIPTION = 255
TAGGABLE = ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu")


def check_data(data: Data) -> None:
    """Refuse template data that AWS refuses when the template is created. Other checks are made at the launch."""
    decoded_user_data(data.get("UserData"))
    seen = set()
    for specification in data.get("TagSpecifications") or []:
        kind = specification.get("ResourceType")
        if kind not in TAGGABLE or kind in seen:
            message = f"'{kind}' is not a valid taggable resource type for this operation."
            refuse("InvalidParameterValue", message)
        seen.add(kind)
        check_tags(specification.get("Tags") or [])
    if data.get("NetworkInterfaces") and (data.get("SecurityGroupIds") or data.get("SecurityGroups")):
        message = "Network interfaces and an instance-level security groups may not be specified on the same request"
        refuse("InvalidParameterCombination", message)


class TemplatesResponses(EC2Response):
    def create_launch_template(self) -> ActionResult:
        params = self.params
        data = params["LaunchTemplateData"]
        check_data(data)
        self._check_description()
        tags = self._parse_tag_specification()
        self.error_on_dryrun()
        template = self.ec2_backend.make_template(params["LaunchTemplateName"], data, params.get("VersionDescription"))
        if tags.get("launch-template"):
            self.ec2_backend.create_tags([template.id], tags["launch-template"])
        return ActionResult({"LaunchTemplate": self._told(template)})

    def create_launch_template_version(self) -> ActionResult:
        params = self.params
        template = self._template()
        source = params.get("SourceVersion")
        inherited = template.version(source).data if source else {}
        data = {**inherited, **params["LaunchTemplateData"]}
        check_data(data)
        self._check_description()
        self.error_on_dryrun()
        version = template.add(data, params.get("VersionDescription"))
        return ActionResult({"LaunchTemplateVersion": self._told_version(template, version)})

    def modify_launch_template(self) -> ActionResult:
        template = self._template()
        version = template.version(self.params.get("DefaultVersion"))
        self.error_on_dryrun()
        template.default = version.number
        return ActionResult({"LaunchTemplate": self._told(template)})

    def delete_launch_template(self) -> ActionResult:
        template = self._template()
        told = self._told(template)
        self.error_on_dryrun()
        self.ec2_backend.drop_template(template)
        return ActionResult({"LaunchTemplate": told})

    def delete_launch_template_versions(self) -> ActionResult:
        template = self._template()
        self.error_on_dryrun()
        done, failed = [], []
        for wanted in self.params["Versions"]:
            of = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": wanted}
            error = _removal_error(template, wanted)
            if error is None:
                del template.versions[int(wanted)]
                done.append(of)
            else:
                failed.append({**of, "ResponseError": error})
        result = {
            "SuccessfullyDeletedLaunchTemplateVersions": done,
            "UnsuccessfullyDeletedLaunchTemplateVersions": failed,
        }
        return ActionResult(result)

    def describe_launch_templates(self) -> ActionResult:
        self.error_on_dryrun()
        ids, names = self.params.get("LaunchTemplateIds") or [], self.params.get("LaunchTemplateNames") or []
        found = self.ec2_backend.find_templates(ids, names)
        return ActionResult({"LaunchTemplates": [self._told(template) for template in found]})

    def describe_launch_template_versions(self) -> ActionResult:
        self.error_on_dryrun()
        return ActionResult({"LaunchTemplateVersions": [self._told_version(*each) for each in self._versions()]})

    def _template(self) -> Template:
        found: Template = self.ec2_backend.template(
            self.params.get("LaunchTemplateId"), self.params.get("LaunchTemplateName")
        )
        return found

    def _check_description(self) -> None:
        if len(self.params.get("VersionDescription") or "") > LONGEST_DESCRIPTION:
            message = f"Version descriptions must be at most {LONGEST_DESCRIPTION} characters long"
            refuse("InvalidParameterValue", message)

    def _versions(self) -> Iterable[tuple[Template, Version]]:
        """Return the versions of one template, or the latest and default versions of all templates."""
        params = self.params
        wanted: Sequence[str] = params.get("Versions") or []
        if params.get("LaunchTemplateId") or params.get("LaunchTemplateName"):
            template = self._template()
            if wanted:
                return [(template, template.version(each)) for each in wanted]
            low, high = int(params.get("MinVersion") or 1), int(params.get("MaxVersion") or template.latest)
            numbers = [number for number in sorted(template.versions, reverse=True) if low <= number <= high]
            return [(template, template.versions[number]) for number in numbers]
        if not wanted or set(wanted) - {LATEST, DEFAULT}:
            refuse(
                "MissingParameter",
                "To describe the launch template data for all your launch templates, for Versions specify '$Latest', "
                "'$Default', or both, and omit the launch template's ID, name, and version numbers.",
            )
        templates = self.ec2_backend.launch_templates.values()
        return [(template, template.version(each)) for template in templates for each in wanted]

    def _told(self, template: Template) -> dict[str, Any]:
        tags = self.ec2_backend.tags.get(template.id, {})
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "CreateTime": template.created,
            "CreatedBy": self._creator,
            "DefaultVersionNumber": template.default,
            "LatestVersionNumber": template.latest,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def _told_version(self, template: Template, version: Version) -> dict[str, Any]:
        return {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "VersionNumber": version.number,
            "VersionDescription": version.description,
            "CreateTime": version.created,
            "CreatedBy": self._creator,
            "DefaultVersion": version.number == template.default,
            "LaunchTemplateData": version.data,
        }

    @property
    def _creator(self) -> str:
        return f"arn:{self.partition}:iam::{self.current_account}:root"


def _removal_error(template: Template, wanted: str) -> dict[str, str] | None:
    """Return the error of deleting a version, or None if it can be deleted.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
    """
    try:
        version = template.version(wanted)
    except AwsError as error:
        return {"Code": "launchTemplateVersionDoesNotExist", "Message": str(error.message)}
    if version.number == template.default:
        message = "Could not delete the default version of the launch template. Set another one as the default first."
        return {"Code": "unexpectedError", "Message": message}
    return None
