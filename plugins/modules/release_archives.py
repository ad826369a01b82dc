#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_archives
short_description: Pack applications into release archives
description:
  - Packs folders, archives and git repositories on the host of the task, usually the controller.
  - The id of a release is a digest of its names, content, links and executable bits. Packing the same application again
    gives the same id.
  - The folders of version control systems are not packed. An empty application is refused.
  - Links are resolved within the application's tree. A link that leads out of it is refused.
  - The module also refuses hard links, devices and other special files, files with a setuid, setgid or sticky bit, a
    member below a file or a link, a member that exists twice, absolute names, names with C(..), with control characters
    or that are not UTF-8, and names longer than 255 bytes in one component or 3,840 bytes in all.
  - An archive that is truncated, damaged or encrypted, or has more than 2 GiB or 500,000 members, is refused.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  folder:
    description: The folder for the archives. It is created if it does not exist.
    type: path
    required: true
  releases:
    description: The applications to pack.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The application's name.
        type: str
        required: true
      source:
        description: The source of the application. Exactly one of O(releases[].source.path),
          O(releases[].source.archive) and O(releases[].source.git) is required.
        type: dict
        required: true
        suboptions:
          path:
            description: A folder on the controller.
            type: path
          archive:
            description: A tar archive, compressed or not, or a zip archive, on the controller.
            type: path
          git:
            description: The URL of a git repository. Its submodules are not packed.
            type: str
          ref:
            description: The branch, tag or full commit id of the git repository.
            type: str
            default: HEAD
          strip:
            description: The number of leading folders to remove from each path.
            type: int
            default: 0
          exclude:
            description: Patterns of names and paths that are excluded from the release.
            type: list
            elements: str
            default: []
      folders:
        description: >-
          What the site can write of the application, as in the option C(releases.folders) of M(groundwork.aws.server).
          An application that has something else at these paths is refused.
        type: dict
        suboptions:
          shared:
            description: Folders that outlive releases.
            type: list
            elements: str
            default: []
          shared_files:
            description: Files that outlive releases.
            type: list
            elements: str
            default: []
          writable:
            description: Folders of each release that the site can write.
            type: list
            elements: str
            default: []
          web_root:
            description: The folder of the application that the web server serves.
            type: str
            default: ""
      allow_override:
        description: >-
          Whether Apache evaluates the C(.htaccess) files in the web root. An application is then refused if they have
          settings of mod_php outside of C(<IfModule mod_php.c>), because Apache would answer 500.
        type: bool
        default: false
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description:
      - Computes the ids without writing the archives.
      - A git repository that was not fetched before is fetched into a temporary folder.
    support: full
  diff_mode:
    description: Shows no differences.
    support: none
"""

EXAMPLES = r"""
- name: Pack the shop
  groundwork.aws.release_archives:
    folder: ~/.cache/groundwork/releases
    releases:
      - name: shop
        source:
          git: https://git.example.com/shop.git
          ref: v1.4.0
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
releases:
  description: The packed releases, in the order of the option.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The application's name.
      type: str
    id:
      description: The id, 12 hexadecimal digits.
      type: str
    archive:
      description: The archive's path.
      type: str
    files:
      description: The number of files in the archive.
      type: int
"""

from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.release_archives import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import parse_folders
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import (
    pack,
    parse_source,
)


def main() -> None:
    """Pack all releases. The archives are a cache, so writing one is not a change."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    problems = Problems()
    wanted = module.params["releases"]
    sources = [parse_source(item["source"], f"releases[{at}].source", problems) for at, item in enumerate(wanted)]
    folders = [
        parse_folders({**(item["folders"] or {}), "account": "any"}, f"releases[{at}].folders", problems)
        for at, item in enumerate(wanted)
    ]
    try:
        problems.raise_if_any()
        folder = Path(module.params["folder"])
        packed = [
            pack(
                item["name"],
                source,
                folder,
                run,
                check_mode=module.check_mode,
                folders=own,
                allow_override=item["allow_override"],
            )
            for item, source, own in zip(wanted, sources, folders, strict=True)
        ]
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, releases=packed)


if __name__ == "__main__":
    main()
