#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_archives
short_description: Pack applications for their release
description:
  - Packs folders, archives and git repositories on the machine that it runs on, usually the controller.
  - A release is named by its content. The same names, content, links and executable bits have the same id, whoever
    packs them, wherever and whenever.
  - Version control's own folders are left out. An empty application is refused.
  - Links are resolved over the application's own tree. A link that leads out of it is refused.
  - Refused are also hard links, devices and other special files, files with a setuid, setgid or sticky bit, a member
    below a file or a link, a member that is there twice, absolute names, names with C(..), with control characters or
    that are not UTF-8, and names longer than 255 bytes in one component or 3,840 bytes in all.
  - An archive that is cut, damaged or encrypted, or that holds more than 2 GiB or 500,000 members, is refused.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  folder:
    description: Where the archives are kept. It is made when it is missing.
    type: path
    required: true
  releases:
    description: What to pack.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The application's name.
        type: str
        required: true
      source:
        description: Where it comes from. One of O(releases[].source.path), O(releases[].source.archive) and
          O(releases[].source.git) has to be given.
        type: dict
        required: true
        suboptions:
          path:
            description: A folder.
            type: path
          archive:
            description: A tar archive, compressed or not, or a zip archive.
            type: path
          git:
            description: The URL of a git repository. Its submodules are not packed.
            type: str
          ref:
            description: The branch, tag or whole commit id of the git repository.
            type: str
            default: HEAD
          strip:
            description: How many leading folders to drop from each name.
            type: int
            default: 0
          exclude:
            description: Patterns of names and paths to leave out.
            type: list
            elements: str
            default: []
attributes:
  check_mode:
    description: Finds the ids without writing the archives. A git repository is fetched into the folder all the same.
    support: full
  diff_mode:
    description: There is nothing to show.
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
      description: How many files are in it.
      type: int
"""

from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import (
    ARCHIVE_ARGUMENTS,
    pack,
    parse_source,
)


def main() -> None:
    """Pack all releases. The archives are a cache, so writing one is not a change."""
    module = QuietModule(argument_spec=ARCHIVE_ARGUMENTS, supports_check_mode=True)
    problems = Problems()
    wanted = module.params["releases"]
    sources = [parse_source(item["source"], f"releases[{at}].source", problems) for at, item in enumerate(wanted)]
    try:
        problems.raise_if_any()
        folder = Path(module.params["folder"])
        packed = [
            pack(item["name"], source, folder, run, check_mode=module.check_mode)
            for item, source in zip(wanted, sources, strict=True)
        ]
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    module.exit_json(changed=False, releases=packed)


if __name__ == "__main__":
    main()
