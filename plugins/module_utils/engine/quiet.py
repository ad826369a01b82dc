# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The class of all modules of the collection: it logs no structure."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule


class QuietModule(AnsibleModule):
    """Ansible's module, without lists and dictionaries in what it logs to the journal or to syslog.

    AnsibleModule logs the text of a structure, in which quotes, backslashes and line breaks are escaped, so that it
    does not find the values of `no_log` in it. It searches what a module returns value by value: that is safe.
    """

    params: dict[str, t.Any]

    def _log_invocation(self) -> None:
        whole = self.params
        self.params = {name: value for name, value in whole.items() if not isinstance(value, (dict, list))}
        try:
            super()._log_invocation()
        finally:
            self.params = whole
