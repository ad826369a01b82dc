"""SSM's responses: the check of parameters, and the account's own parameters in pages."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.responses import SimpleSystemManagerResponse

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.sts.identity import caller_of
from groundwork_lab.aws.validating import Checked

PAGE = 50
PUBLIC = "/aws/"  # the names of parameters that AWS publishes


class Responses(Checked, SimpleSystemManagerResponse):
    invalid = "ValidationException"

    def describe_parameters(self) -> ActionResult:
        """Describe the account's own parameters. AWS' public ones are found by their path.

        https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html and
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html
        """
        found = self.ssm_backend.describe_parameters(self._get_param("Filters"), self._get_param("ParameterFilters"))
        own = [each for each in found if not each.name.startswith(PUBLIC)]
        start = _offset(self._get_param("NextToken"))
        end = start + int(self._get_param("MaxResults") or PAGE)
        following = base64.b64encode(str(end).encode()).decode() if end < len(own) else None
        return ActionResult({"Parameters": [self._described(each) for each in own[start:end]], "NextToken": following})

    def _described(self, parameter: Any) -> dict[str, Any]:
        user = caller_of(self.ssm_backend.context, self.get_access_key()).arn
        told = parameter.describe_response_object(decrypt=False)
        arn = parameter.response_object(region=self.region)["ARN"]
        return {"Policies": [], "Tier": "Standard", **_present(told), "LastModifiedUser": user, "ARN": arn}


def _present(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _offset(token: str | None) -> int:
    try:
        return int(base64.b64decode(token.encode(), validate=True)) if token else 0
    except (binascii.Error, ValueError):
        refuse("InvalidNextToken", "The specified token isn't valid.")
