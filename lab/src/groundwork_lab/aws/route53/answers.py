"""Route 53's responses: the table of operations between moto's parser and serializer."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.route53.models import route53_backends
from moto.route53.responses import Route53

from groundwork_lab.aws.route53.operations import carried_out


class Responses(Route53):
    def call_action(self) -> Any:
        answer: object
        try:
            backend: Any = route53_backends[self.current_account][self.partition]
            answer = carried_out(backend, self._get_action(), {**self.uri_match, **self.params})
        except ServiceException as error:
            answer = error
        status, headers, body = self.serialized(ActionResult(answer))
        headers, body = self._enrich_response(headers, body)
        return status, headers, body
