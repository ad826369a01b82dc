"""RDS' responses: the table of operations between moto's parser and serializer."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.rds.models import rds_backends
from moto.rds.responses import RDSResponse

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.rds.operations import OPERATIONS
from groundwork_lab.aws.validating import check, check_required


class Responses(RDSResponse):
    PROTOCOL_PARSER_MAP_TYPE = dict  # moto's own map has its keys in snake case

    def call_action(self) -> Any:
        answer: object
        try:
            answer = self._handled(self._get_action())
        except ServiceException as error:
            answer = error
        status, headers, body = self.serialized(ActionResult(answer))
        headers, body = self._enrich_response(headers, body)
        return status, headers, body

    def _handled(self, operation: str) -> dict[str, Any]:
        if operation not in OPERATIONS:
            refuse("UnsupportedOperation", f"The lab has no {operation}: it has DB instances of MariaDB only.")
        check_required("rds", operation, self.params, "ValidationError")
        check("rds", operation, self.params, "InvalidParameterValue")
        backend: Any = rds_backends[self.current_account][self.region]
        return OPERATIONS[operation](backend, self.params)
