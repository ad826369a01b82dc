"""Launch templates and their versions, and how a launch request is merged with them.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.utils import random_launch_template_id

from groundwork_lab.aws.context import refuse

Data = Mapping[str, Any]  # RequestLaunchTemplateData of the API
LATEST, DEFAULT = "$Latest", "$Default"


@dataclass(frozen=True)
class Version:
    number: int
    data: Data
    description: str | None
    created: datetime = field(default_factory=utcnow)


@dataclass
class Template:
    """A launch template. `versions` are keyed by number, in ascending order. A number is never used again."""

    id: str
    name: str
    versions: dict[int, Version]
    default: int = 1
    created: datetime = field(default_factory=utcnow)
    last_number: int = 1

    @property
    def latest(self) -> int:
        return max(self.versions)

    def add(self, data: Data, description: str | None) -> Version:
        self.last_number += 1
        version = Version(self.last_number, data, description)
        self.versions[version.number] = version
        return version

    def version(self, wanted: str | None) -> Version:
        """Return the version with this number or keyword. Without either, return the default version."""
        number = {LATEST: str(self.latest), DEFAULT: str(self.default)}.get(wanted or DEFAULT, str(wanted))
        if not number.isdigit():
            message = (
                f"Invalid launch template version: either '{DEFAULT}', '{LATEST}', or a numeric version are allowed."
            )
            refuse("InvalidParameterValue", message)
        if int(number) not in self.versions:
            refuse(
                "InvalidLaunchTemplateId.VersionNotFound",
                f"Could not find the specified version {number} for the launch template with ID {self.id}.",
            )
        return self.versions[int(number)]


def check_name(name: str) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9().\-/_]{3,128}", name):
        refuse(
            "InvalidLaunchTemplateName.MalformedException",
            "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the "
            "following characters: - ( ) . / _.",
        )


# Parameters whose members a launch merges; all others are taken completely from the request or from the template.
STRUCTURES = ("CpuOptions", "CreditSpecification", "MaintenanceOptions", "MetadataOptions", "Monitoring", "Placement")
GROUPS = ("SecurityGroupIds", "SecurityGroups")


def merged(template: Data, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the launch parameters of a request with a launch template.

    "Any parameters that you specify in RunInstances override the same parameters in the launch template."
    The members of a structure are overridden one by one. So are devices, interfaces, and the tags of a resource type.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html (LaunchTemplate)
    """
    base = dict(template)
    if any(request.get(name) for name in GROUPS):
        base = {name: value for name, value in base.items() if name not in GROUPS}
    launch = {**base, **{name: value for name, value in request.items() if value is not None}}
    for name in STRUCTURES:
        if base.get(name) and request.get(name):
            launch[name] = {**base[name], **request[name]}
    for name, key in (("BlockDeviceMappings", "DeviceName"), ("NetworkInterfaces", "DeviceIndex")):
        if base.get(name) and request.get(name):
            launch[name] = _by_key(base[name], request[name], key)
    if base.get("TagSpecifications") and request.get("TagSpecifications"):
        launch["TagSpecifications"] = merged_tags(base["TagSpecifications"], request["TagSpecifications"])
    return launch


def _by_key(base: Sequence[Data], request: Sequence[Data], key: str) -> list[dict[str, Any]]:
    found = {each.get(key): dict(each) for each in base}
    for each in request:
        before = found.get(each.get(key), {})
        volume = {"Ebs": {**before["Ebs"], **each["Ebs"]}} if "Ebs" in before and "Ebs" in each else {}
        found[each.get(key)] = {**before, **each, **volume}
    return list(found.values())


def merged_tags(base: Sequence[Data], request: Sequence[Data]) -> list[dict[str, Any]]:
    """Merge two lists of TagSpecifications. For a key in both, the request's value is used."""
    tags: dict[str, dict[str, str]] = {}
    for specification in (*base, *request):
        own = tags.setdefault(specification["ResourceType"], {})
        own |= {tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags") or []}
    return [
        {"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in own.items()]}
        for kind, own in tags.items()
    ]


class TemplatesBackend(EC2Backend):
    """EC2's launch templates. `launch_templates` replaces moto's dictionary and is keyed by id."""

    launch_templates: dict[str, Template]

    def make_template(self, name: str, data: Data, description: str | None) -> Template:
        check_name(name)
        if any(template.name == name for template in self.launch_templates.values()):
            refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
        template = Template(random_launch_template_id(), name, {1: Version(1, data, description)})
        self.launch_templates[template.id] = template
        return template

    def template(self, template_id: str | None, name: str | None) -> Template:
        """Return the template that a request names by id or by name."""
        if template_id and name:
            message = "The parameter launchTemplateName cannot be used with the parameter launchTemplateId"
            refuse("InvalidParameterCombination", message)
        if template_id:
            return self._template_by_id(template_id)
        if not name:
            message = "The request must contain the parameter launch template ID or launch template name"
            refuse("MissingParameter", message)
        found = next((each for each in self.launch_templates.values() if each.name == name), None)
        if found is None:
            refuse(
                "InvalidLaunchTemplateName.NotFoundException",
                f"The specified launch template, with template name {name}, does not exist.",
            )
        return found

    def _template_by_id(self, template_id: str) -> Template:
        if not re.fullmatch(r"lt-[0-9a-f]{17}|lt-[0-9a-f]{8}", template_id):
            message = f'Invalid id: "{template_id}" (expecting "lt-...")'
            refuse("InvalidLaunchTemplateId.Malformed", message)
        if template_id not in self.launch_templates:
            refuse(
                "InvalidLaunchTemplateId.NotFound",
                f"The specified launch template, with template ID {template_id}, does not exist.",
            )
        return self.launch_templates[template_id]

    def version_of(self, specification: Mapping[str, Any]) -> tuple[Template, Version]:
        """Return the template and the version of a LaunchTemplateSpecification."""
        template = self.template(specification.get("LaunchTemplateId"), specification.get("LaunchTemplateName"))
        return template, template.version(specification.get("Version"))

    def find_templates(self, ids: Sequence[str], names: Sequence[str]) -> list[Template]:
        found = [self.template(each, None) for each in ids] + [self.template(None, each) for each in names]
        if not ids and not names:
            found = list(self.launch_templates.values())
        return found

    def drop_template(self, template: Template) -> None:
        del self.launch_templates[template.id]
        self.forget(template.id)
