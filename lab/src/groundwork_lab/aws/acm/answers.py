"""Certificate Manager's responses: the table of operations between moto's parser and serializer."""

from __future__ import annotations

from typing import Any

from moto.acm.models import acm_backends
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

from groundwork_lab.aws.acm.operations import carried_out
from groundwork_lab.aws.validating import members


class Responses(AWSCertificateManagerResponse):
    def call_action(self) -> Any:
        answer: object
        try:
            backend: Any = acm_backends[self.current_account][self.region]
            answer = carried_out(backend, self._get_action(), members(self.body))
        except ServiceException as error:
            answer = error
        status, headers, body = self.serialized(ActionResult(answer))
        headers, body = self._enrich_response(headers, body)
        return status, headers, body
