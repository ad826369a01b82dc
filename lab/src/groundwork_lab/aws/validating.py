"""The check of a request's parameters against the model of its operation, with the message of AWS.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from groundwork_lab.aws import models
from groundwork_lab.aws.context import AwsError, refuse


def check(service: str, operation: str, params: Mapping[str, Any], code: str = "ValidationError") -> None:
    """Refuse values that botocore's model of the operation does not permit."""
    found = list(models.violations(get_service_model(service).operation_model(operation).input_shape, params))
    if found:
        refuse(code, models.told(found))


def check_required(service: str, operation: str, params: Mapping[str, Any], code: str) -> None:
    """Refuse a request without members that botocore's model of the operation requires."""
    found = list(models.missing(get_service_model(service).operation_model(operation).input_shape, params))
    if found:
        each = "; ".join(
            f"Value null at '{path}' failed to satisfy constraint: Member must not be null" for path in found
        )
        refuse(code, f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {each}")


def members(body: str | bytes) -> Mapping[str, Any]:
    """Return the members of a JSON body. Refuse a body that is not a JSON object.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    """
    try:
        found = json.loads(body or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        refuse("SerializationException", "The request body is not a JSON object.")
    return found


class Checked(BaseResponse):
    """The responses of a service whose parameters are checked first."""

    invalid = "ValidationError"

    def call_action(self) -> Any:
        try:
            params = self.params if self.automated_parameter_parsing else members(self.body)
            check(self.boto3_service_name, self._get_action(), params, self.invalid)
        except AwsError as error:
            status, headers, body = self.serialized(ActionResult(error))
            headers, body = self._enrich_response(headers, body)
            return status, headers, body
        return super().call_action()
