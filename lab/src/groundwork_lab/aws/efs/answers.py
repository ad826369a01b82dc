"""EFS' responses: the table of operations between moto's parser and serializer."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.efs.models import efs_backends
from moto.efs.responses import EFSResponse

from groundwork_lab.aws.efs.operations import OPERATIONS, bad


class Responses(EFSResponse):
    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

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
            bad(f"The lab has no {operation}: it has no replication, backups, policies and preferences of EFS.")
        backend: Any = efs_backends[self.current_account][self.region]
        return OPERATIONS[operation](backend, {**self.uri_match, **self.params} if self.uri_match else self.params)
