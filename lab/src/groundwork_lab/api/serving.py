"""An HTTP/1.1 server for a WSGI application, on sockets that are already bound.

werkzeug's handler closes the connection after each response, because it does not read the rest of a request's body.
Here the body is read before the application runs, so that connections stay open and a client's next call needs no new
connection.
"""

from __future__ import annotations

import io
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from http.server import HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.test import run_wsgi_app

IDLE = 120.0  # seconds until an idle connection is closed
HANDSHAKE = 10.0  # seconds that a TLS handshake may take


def server_context(folder: Path, certificate: bytes, key: bytes) -> ssl.SSLContext:
    """Return a TLS context with this certificate and key (PEM).

    They are written to a temporary file below `folder` that only root can read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context


class ConnectionCutError(Exception):
    """Raised by the application to close the connection without an answer."""


class Handler(MotoRequestHandler):
    """One connection. Requests are read and answered one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = IDLE
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.ended(self.connection)
        super().finish()

    def handle_expect_100(self) -> bool:
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        body = self._body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        try:
            chunks, status, headers = run_wsgi_app(self.server.application, environ, buffered=True)
        except ConnectionCutError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(status, headers.items(), b"".join(chunks))

    def _body(self, environ: dict[str, Any]) -> bytes:
        if environ.get("wsgi.input_terminated"):  # Transfer-Encoding: chunked
            return bytes(environ["wsgi.input"].readall())
        return bytes(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))

    def _answer(self, status: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase or None)
        length = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length":
                length = value if self.command == "HEAD" else length
            elif name.lower() not in ("connection", "transfer-encoding", "server", "date"):
                self.send_header(name, value)
        if int(code) >= 200 and int(code) not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def version_string(self) -> str:
        return self.server.product

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Do nothing: calls are counted, not logged."""

    def log_error(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's name
        """Do nothing: clients that disconnect are not logged."""


class Server(ThreadingMixIn, HTTPServer):
    """A server on a listening socket, with a daemon thread that accepts and one thread for each connection."""

    daemon_threads = True
    block_on_close = False
    multithread = True
    multiprocess = False

    def __init__(
        self, listening: socket.socket, application: Any, name: str, product: str, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(listening.getsockname(), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.server_address = listening.getsockname()
        self.application = application
        self.ssl_context = tls
        self.product = product  # the Server header
        self._closing = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection and its TLS handshake in its own thread, so that a silent client delays no other."""
        if self.ssl_context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE)
        # An OSError means that the client does not trust the certificate, does not use TLS, or has disconnected.
        with suppress(OSError), self.ssl_context.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)

    def opened(self, connection: socket.socket) -> None:
        """Register a connection that `stop()` has to end."""
        with self._lock:
            self._open.add(connection)
            if self._closing:
                _end(connection)

    def ended(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def _serve(self) -> None:
        """Accept connections until `stop()` is called, without polling."""
        while not self._closing:
            self.handle_request()

    def stop(self) -> None:
        """Stop accepting, close the socket, and end the open connections, also the idle ones."""
        with self._lock:
            self._closing = True
            for connection in self._open:
                _end(connection)
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._thread.join()
        self.server_close()


def _end(connection: socket.socket) -> None:
    """Shut the connection down, so that its reader and writer notice at once."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
