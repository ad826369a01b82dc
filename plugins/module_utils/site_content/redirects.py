# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redirects: the viewer-request function answers them, since a private bucket cannot. Here they are checked.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/function-code-redirect-url.html
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.site_content.invalidation import forms

PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
TARGET = re.compile(r"(https?://[^\s/?#\"<>\\]+)?(/[^\s\"<>\\]*)?")


def parse_redirects(given: t.Mapping[str, t.Any], problems: Problems) -> dict[str, str]:
    """Path to target; what is wrong is added to `problems`, circles included."""
    redirects = {str(path): str(target) for path, target in given.items()}
    for path, target in redirects.items():
        where = f"redirects.{path}"
        if not PATH.fullmatch(path):
            problems.add(
                where, "it is no path as a browser sends it", "begin with /, without query, encoded as in a URL"
            )
        if not target or not TARGET.fullmatch(target):
            problems.add(where, f"'{target}' is no target", "give a path as /new/, or a URL as https://example.com/")
        elif _returns(path, redirects):
            problems.add(where, f"'{target}' leads back to it", "let one of them lead elsewhere")
    return redirects


def _returns(path: str, redirects: t.Mapping[str, str]) -> bool:
    seen: set[str] = set()
    target = redirects[path]
    while target in redirects and target not in seen:
        seen.add(target)
        target = redirects[target]
    return path in (target, *seen)


def check_shadows(redirects: t.Mapping[str, str], paths: t.Iterable[str], problems: Problems) -> None:
    """Refuse a redirect of a path under which there is a file: nobody could ever see that."""
    if not redirects:
        return
    files = {form: path for path in paths for form in forms(path)}
    for path in redirects:
        if path in files:
            problems.add(f"redirects.{path}", f"it hides the file {files[path]}", "remove one of them")
