# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user data with which a server installs a public key and prints its host keys. Pure functions.

cloud-init executes a boothook at every boot, before sshd is started. It executes scripts, and prints host keys, at an
instance's first boot only. The user data of an instance can be changed while the instance is stopped.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html
https://docs.cloud-init.io/en/latest/explanation/format.html

The server's own user data is kept in the second part, so that a run that follows an interrupted one can restore it.
"""

from __future__ import annotations

import gzip
import re
import typing as t
import zlib
from email import message_from_bytes
from email.encoders import encode_base64
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart

from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import parse_console
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import LARGEST_USER_DATA
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey

HEADER = "X-Groundwork-Recovery"
TYPE_OF_ORIGINAL = "application/octet-stream"
COMPRESSED = b"\x1f\x8b"

SCRIPT = """\
#cloud-boothook
#!/bin/sh
# Install the environment's key and print the host keys. groundwork.aws removes this after the boot.
console() {
  { cat > /dev/console; } 2>/dev/null || cat
}
failed() {
  echo "groundwork.aws recovery @TOKEN@ failed: $1" | console
  exit 1
}
home=$(getent passwd '@USER@' | cut -d: -f6)
[ -n "$home" ] || failed 'the user @USER@ does not exist'
keys=$home/.ssh/authorized_keys
install -d -m 700 -o '@USER@' -g "$(id -g '@USER@')" "$home/.ssh" || failed "$home/.ssh cannot be created"
touch "$keys" || failed "$keys cannot be written"
for file in "$keys" /root/.ssh/authorized_keys; do
  [ ! -f "$file" ] || sed -i '/ @COMMENT@$/d' "$file" || failed "$file cannot be written"
done
[ ! -s "$keys" ] || [ -z "$(tail -c 1 "$keys")" ] || echo >> "$keys"
echo '@KEY@ @COMMENT@' >> "$keys" || failed "$keys cannot be written"
chown '@USER@' "$keys" && chmod 600 "$keys" || failed "$keys cannot be written"
ssh-keygen -A > /dev/null || failed 'the host keys cannot be generated'
{
  echo '-----BEGIN SSH HOST KEY KEYS-----'
  cat /etc/ssh/ssh_host_*_key.pub
  echo '-----END SSH HOST KEY KEYS-----'
  echo 'groundwork.aws recovery @TOKEN@ complete'
} | console
"""


class Recovery(t.NamedTuple):
    """A recovery that the user data contains: its token, its script, and the server's own user data."""

    token: str
    script: str
    original: bytes


def script(token: str, key: PublicKey, key_name: str, user: str) -> str:
    """Return the boothook. It replaces the lines of `authorized_keys` that end with the name of the key pair.

    cloud-init writes the name of the key pair into the line of the key that an instance was launched with.
    """
    values = {"@TOKEN@": token, "@KEY@": str(key), "@COMMENT@": key_name, "@USER@": user}
    return re.sub("|".join(values), lambda found: values[found[0]], SCRIPT)


def with_recovery(recovery: Recovery) -> bytes | None:
    """Return user data that executes the script and contains the server's own, or None if it is too long for EC2."""
    message = MIMEMultipart(boundary=f"==groundwork-{recovery.token}==")
    message[HEADER] = recovery.token
    message.attach(_part("text/cloud-boothook", recovery.script.encode()))
    if recovery.original:
        # cloud-init recognizes the type from the content. It ignores a compressed or divided one for this boot.
        message.attach(_part(TYPE_OF_ORIGINAL, recovery.original))
    whole = message.as_bytes()
    data = whole if len(whole) <= LARGEST_USER_DATA else gzip.compress(whole, mtime=0)
    return data if len(data) <= LARGEST_USER_DATA else None


def _part(content_type: str, content: bytes) -> MIMEBase:
    part = MIMEBase(*content_type.split("/"))
    part.set_payload(content)
    encode_base64(part)
    return part


def recovery_in(user_data: bytes) -> Recovery | None:
    """Return the recovery that the user data contains, or None."""
    try:
        plain = gzip.decompress(user_data) if user_data.startswith(COMPRESSED) else user_data
    except (OSError, EOFError, zlib.error):  # data of another format, or damaged
        return None
    message = message_from_bytes(plain)
    token, parts = message.get(HEADER), message.get_payload()
    if not token or not isinstance(parts, list) or not parts:
        return None
    contents = [t.cast(bytes, t.cast(Message, part).get_payload(decode=True)) for part in parts]
    return Recovery(str(token), contents[0].decode(), b"".join(contents[1:]))


def printed(console: str, token: str) -> frozenset[PublicKey] | None:
    """Return the host keys that a recovery has printed, or None while it has not."""
    before, complete, _after = console.partition(f"groundwork.aws recovery {token} complete")
    return parse_console(before) or None if complete else None


def failure(console: str, token: str) -> str:
    """Return the reason why a recovery failed on the server, or ""."""
    found = re.search(rf"groundwork\.aws recovery {re.escape(token)} failed: ([^\r\n]+)", console)
    return found[1] if found else ""
