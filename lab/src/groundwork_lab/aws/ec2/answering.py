"""Rules for all EC2 operations: required parameters, client tokens, pages, unknown actions."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.ec2.responses import EC2Response

from groundwork_lab.aws import models
from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2 import described
from groundwork_lab.aws.ec2.tagging import check_specifications

LARGEST_PAGE = 1000
NO_DATA_PLANE = {  # moto accepts these, but the lab does not implement them
    "AcceptVpcPeeringConnection": "VPC peering",
    "AssociateDhcpOptions": "DHCP options",
    "AttachVolume": "volumes other than an instance's own",
    "AttachVpnGateway": "VPNs",
    "CreateCarrierGateway": "carrier gateways",
    "CreateDefaultVpc": "default VPCs other than the one it starts with",
    "CreateEgressOnlyInternetGateway": "egress-only internet gateways",
    "CreateFleet": "fleets",
    "CreateFlowLogs": "flow logs",
    "CreateTransitGateway": "transit gateways",
    "CreateVpcPeeringConnection": "VPC peering",
    "CreateVpnConnection": "VPNs",
    "CreateVpnGateway": "VPNs",
    "DetachVolume": "volumes other than an instance's own",
    "RequestSpotFleet": "spot instances",
    "RequestSpotInstances": "spot instances",
}


def fingerprint(params: Mapping[str, Any]) -> str:
    """Return the parts of a request that must be equal when its client token is used again."""
    request = {key: value for key, value in params.items() if key != "ClientToken"}
    return json.dumps(request, sort_keys=True, default=str)


def page(items: list[Any], size: int | None, token: str | None, operation: str) -> tuple[list[Any], str | None]:
    """Return one page of `items` and the token of the next page. A token is valid for its own operation only."""
    start = _offset(token, operation) if token else 0
    end = start + min(size or LARGEST_PAGE, LARGEST_PAGE)
    following = base64.urlsafe_b64encode(f"{operation}:{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following


def _offset(token: str, operation: str) -> int:
    try:
        name, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name, offset = "", ""
    if name != operation or not offset.isdigit():
        refuse("InvalidNextToken", f"The specified NextToken '{token}' is not valid.")
    return int(offset)


class Answering(EC2Response):
    RESPONSE_KEY_PATH_TO_TRANSFORMER = {  # noqa: RUF012 - moto's class attribute
        key: value
        for key, value in EC2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if not key.startswith("RunInstances.")  # a repeated launch returns the current state
    }

    def call_action(self) -> Any:
        operation = self._get_action()
        try:
            result = self._checked(operation, lambda: self._answered(operation))
        except ServiceException as error:
            result = ActionResult(error)
        status, headers, body = self.serialized(result)
        headers, body = self._enrich_response(headers, body)
        return status, headers, body

    def _answered(self, operation: str) -> ActionResult:
        method = getattr(self, camelcase_to_underscores(operation), None)
        if method is None:
            return described.nothing(operation, self.params)
        try:
            answer: ActionResult = method()
        except NotImplementedError:  # moto has the method's name only
            return described.nothing(operation, self.params)
        return answer

    def _checked(self, operation: str, method: Any) -> ActionResult:
        if operation in NO_DATA_PLANE:
            refuse("UnsupportedOperation", f"The lab has no {NO_DATA_PLANE[operation]}.")
        shape = get_service_model("ec2").operation_model(operation).input_shape
        for name in shape.required_members if shape else ():
            if self.params.get(name) is None:
                refuse("MissingParameter", f"The request must contain the parameter {name}")
        check_specifications(operation, self.params.get("TagSpecifications") or [])
        for each in models.violations(shape, self.params):
            message = f"Value ({each.value}) for parameter {each.path} is invalid. {each.constraint}."
            refuse("InvalidParameterValue", message)
        if operation.startswith("Describe"):
            wanted = described.taken(operation, self.params)
            return self._paged(operation, lambda: self._selected(operation, method, wanted), shape)
        return self._once(operation, method)

    def _selected(self, operation: str, method: Any, wanted: described.Wanted) -> ActionResult:
        return described.select(operation, method(), wanted, self.RESPONSE_KEY_PATH_TO_TRANSFORMER)

    def _once(self, operation: str, method: Any) -> ActionResult:
        """Execute a request, or return the first result if the client token was used before.

        https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
        """
        token = self.params.get("ClientToken")
        if not token or self.params.get("DryRun"):
            return method()
        done = self.ec2_backend.client_tokens
        key, request = (operation, token), fingerprint(self.params)
        if key not in done:
            done[key] = (request, method())
        first, result = done[key]
        if first != request:
            refuse(
                "IdempotentParameterMismatch",
                "The request uses the same client token as a previous, but non-identical request. Do not reuse a "
                "client token with different requests, unless the requests are identical.",
            )
        return result

    def _paged(self, operation: str, method: Any, shape: Any) -> ActionResult:
        key = described.list_key(operation)
        size, token = self.params.get("MaxResults"), self.params.get("NextToken")
        if key is None or (size is None and token is None):
            return method()
        self._check_page_size(size, shape)
        ids = next((name for name in self.params if name.endswith("Ids")), None)
        if size is not None and ids is not None and operation == "DescribeInstances":
            message = "The parameter instancesSet cannot be used with the parameter maxResults"
            refuse("InvalidParameterCombination", message)
        for name in ("MaxResults", "NextToken"):
            self.params.pop(name, None)
        result = method()
        items, following = page(list(result.result.get(key) or []), size and int(size), token, operation)
        return ActionResult({**result.result, key: items, "NextToken": following})

    def _check_page_size(self, size: Any, shape: Any) -> None:
        if size is None:
            return
        limits = shape.members["MaxResults"].metadata
        least, most = limits.get("min", 1), limits.get("max", LARGEST_PAGE)
        if int(size) < least:
            message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value greater than {least}."
            refuse("InvalidParameterValue", message)
        if int(size) > most:
            message = f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value less than {most}."
            refuse("InvalidParameterValue", message)
