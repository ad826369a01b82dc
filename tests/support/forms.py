"""Forms with a file, as a browser sends them: https://www.rfc-editor.org/rfc/rfc7578."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True)
class File:
    """A file of a form: the name of its field, its own name, its media type, and its content."""

    field: str
    name: str
    kind: str
    content: bytes


def multipart(fields: Mapping[str, str], file: File) -> tuple[bytes, dict[str, str]]:
    """Return the body of a form with a file, and its headers."""
    boundary = uuid4().hex
    parts = [
        *(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in fields.items()
        ),
        f'--{boundary}\r\nContent-Disposition: form-data; name="{file.field}"; filename="{file.name}"\r\n'
        f"Content-Type: {file.kind}\r\n\r\n",
    ]
    body = "".join(parts).encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
