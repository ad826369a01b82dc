"""A relay for mail, for a server of the lab: SMTP with STARTTLS and a password, each message a file.

    python3 smtp_relay.py <port> <certificate and key> <user> <file with the password> <folder>

It needs the standard library alone. A client without TLS, or with another password, is refused.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import sys
from pathlib import Path


class Session(socketserver.StreamRequestHandler):
    """One client."""

    def handle(self) -> None:
        """Speak SMTP, as far as Postfix needs it (RFC 5321, 3207 and 4954)."""
        relay = self.server
        assert isinstance(relay, Relay)
        secure = known = False
        self.say("220 relay ESMTP")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb in ("EHLO", "HELO"):
                self.say("250-relay\r\n250-AUTH PLAIN\r\n250 8BITMIME" if secure else "250-relay\r\n250 STARTTLS")
            elif verb == "STARTTLS":
                self.say("220 go on")
                self.connection = relay.context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
                secure = True
            elif verb == "AUTH":
                known = secure and base64.b64decode(line.split()[2]).decode() == f"\0{relay.user}\0{relay.password}"
                self.say("235 welcome" if known else "535 wrong")
            elif verb == "DATA":
                self.say("354 go on" if known else "530 authenticate first")
                if known:
                    self.keep(relay.folder)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, text: str) -> None:
        """Answer."""
        self.wfile.write(f"{text}\r\n".encode())

    def keep(self, folder: Path) -> None:
        """Write a message into a file."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        number = len(list(folder.iterdir()))
        (folder / f"{number}.part").write_bytes(b"".join(lines))
        (folder / f"{number}.part").rename(folder / f"{number}.eml")
        self.say("250 kept")


class Relay(socketserver.ThreadingTCPServer):
    """The relay."""

    allow_reuse_address = True

    def __init__(self, port: int, certificate: str, user: str, password: str, folder: Path) -> None:
        super().__init__(("", port), Session)
        self.user, self.password, self.folder = user, password, folder
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)


if __name__ == "__main__":
    port, certificate, user, password, folder = sys.argv[1:]
    Path(folder).mkdir(exist_ok=True)
    Relay(int(port), certificate, user, Path(password).read_text(), Path(folder)).serve_forever()
