"""Parameter Store: Debian's public parameters, and the limits that moto does not check."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import moto.ssm.urls
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.ec2.images import RELEASES
from groundwork_lab.aws.ec2.images import parameters as image_parameters

LEVELS, LENGTH = 15, 1011
LIMITS = {"Standard": 4 * 1024, "Advanced": 8 * 1024}  # bytes
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html


def excess(value: str, tier: str | None) -> str | None:
    """Return AWS' message if the value is too long for its tier, or None. Intelligent-Tiering permits 8 KiB."""
    size = len(value.encode())
    if size > LIMITS["Advanced"] or (tier in (None, "", "Standard") and size > LIMITS["Standard"]):
        limit = LIMITS["Standard"] if tier in (None, "", "Standard") else LIMITS["Advanced"]
        return (
            f"{tier or 'Standard'} tier parameters support a maximum parameter value of {limit} characters. "
            "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
            "For more information, see "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    return None


def misnamed(name: str) -> str | None:
    """Return AWS' message if the name of a parameter is invalid, or None.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    """
    if not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", name):
        return "Parameter name must be a combination of letters, numbers and the following 3 symbols .-_"
    if "/" in name and not name.startswith("/"):
        return "Parameter name must be a fully qualified name: it begins with a slash when it has one."
    if name.count("/") > LEVELS or len(name) > LENGTH:
        return f"A parameter's hierarchy has at most {LEVELS} levels and its name {LENGTH} characters."
    return None


class ParametersBackend(SimpleSystemManagerBackend):
    context: Context  # set by `install`
    _url_module = moto.ssm.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        for name, value in image_parameters().items():
            self._parameters[name].append(
                Parameter(
                    account_id=account_id,
                    name=name,
                    value=value,
                    parameter_type="String",
                    description=None,
                    allowed_pattern=None,
                    keyid=None,
                    last_modified_date=max(release.created for release in RELEASES),
                    version=1,
                    data_type="aws:ec2:image",
                )
            )

    def send_command(self, **_arguments: Any) -> NoReturn:
        refuse("UnsupportedOperation", "The lab has no Run Command: its servers run no SSM Agent.")

    def put_parameter(self, name: str, description: str, value: str, *arguments: Any, **options: Any) -> Any:
        tier = options.get("tier")
        wrong = misnamed(name) or excess(value or "", tier)
        if wrong:
            refuse("ValidationException", wrong)
        return super().put_parameter(name, description, value, *arguments, **options)
