"""The server of RDS' certificate bundles, which has the lab's authority in place of RDS' own.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

from __future__ import annotations

import ssl
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import NamedTemporaryFile

from groundwork_lab.authority import Authority
from groundwork_lab.plane.names.records import TRUST_STORE_NAME
from groundwork_lab.processes import listen
from groundwork_lab.settings import REGION, TRUSTSTORE, Settings

BUNDLES = frozenset({"/global/global-bundle.pem", f"/{REGION}/{REGION}-bundle.pem"})
IDLE = 10.0  # seconds until a silent connection is closed


class TrustStore:
    """The HTTPS server at the name of AWS' trust store."""

    def __init__(self, settings: Settings, authority: Authority) -> None:
        self._settings = settings
        self._authority = authority
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Serve the bundles in threads of this process. Raise OSError."""
        socket = listen(self._settings.namespace("aws"), str(TRUSTSTORE), 443)
        chain, key = self._authority.issue([TRUST_STORE_NAME])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        with NamedTemporaryFile(dir=self._settings.state) as file:
            file.write(chain + key)
            file.flush()
            context.load_cert_chain(Path(file.name))
        server = ThreadingHTTPServer((str(TRUSTSTORE), 443), handler(self._authority.certificate), False)
        server.socket.close()
        # The handshake is made by the connection's own thread, at its first read.
        server.socket = context.wrap_socket(socket, server_side=True, do_handshake_on_connect=False)
        self._server = server
        threading.Thread(target=server.serve_forever, name="truststore", daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def handler(bundle: bytes) -> type[BaseHTTPRequestHandler]:
    """Return the class that answers requests with the bundle."""

    class Handler(BaseHTTPRequestHandler):
        timeout = IDLE

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            if self.path not in BUNDLES:
                self.send_error(HTTPStatus.FORBIDDEN)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/x-pem-file")
            self.send_header("Content-Length", str(len(bundle)))
            self.end_headers()
            if with_body:
                self.wfile.write(bundle)

        def log_message(self, *_: object) -> None:
            """Write nothing: the daemon's log is about the lab."""

    return Handler
