"""CloudFront's responses: the table of operations between moto's parser and serializer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.cloudfront.responses import CloudFrontResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model

from groundwork_lab.aws.cloudfront import distributions, functions, invalidations, reusable, shapes, tags, unserved
from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.context import refuse

OPERATIONS: Mapping[str, Callable[[Backend, Mapping[str, Any]], dict[str, Any]]] = {
    **distributions.OPERATIONS,
    **functions.OPERATIONS,
    **invalidations.OPERATIONS,
    **reusable.OPERATIONS,
    **tags.OPERATIONS,
}


class Responses(CloudFrontResponse):
    def call_action(self) -> Any:
        try:
            answer = self._handled(self._get_action())
        except ServiceException as error:
            return self._written(error)
        status, headers, body = self._written(answer)
        if "ContentType" in answer:  # a function's code; moto sets the content type of XML for all answers
            headers["Content-Type"] = answer["ContentType"]
        return status, headers, body

    def _written(self, answer: object) -> Any:
        status, headers, body = self.serialized(ActionResult(answer))
        headers, body = self._enrich_response(headers, body)
        return status, headers, body

    def _handled(self, operation: str) -> dict[str, Any]:
        model = get_service_model("cloudfront").operation_model(operation)
        shape = model.input_shape
        payload = shape.serialization.get("payload")
        if payload and not self.body:
            refuse("MissingBody", "This operation requires a body. Ensure that the body is present.")
        request = {**self.uri_match, **self.params}
        shapes.check(shape, request)
        if operation not in OPERATIONS:
            return unserved.answered(model)
        return OPERATIONS[operation](self.backend, shapes.tidy(shape, request))
