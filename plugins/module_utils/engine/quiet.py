# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base class of all modules. It does not log lists and dictionaries, and takes warnings from results."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule


class QuietModule(AnsibleModule):
    """An AnsibleModule that does not log lists and dictionaries to the journal or to syslog.

    AnsibleModule logs a structure as text, with quotes, backslashes and line breaks escaped. So it does not find the
    values of `no_log` options there. In a module's result it searches value by value, which is safe.
    """

    params: dict[str, t.Any]

    def _log_invocation(self) -> None:
        whole = self.params
        self.params = {name: value for name, value in whole.items() if not isinstance(value, (dict, list))}
        try:
            super()._log_invocation()
        finally:
            self.params = whole

    def exit_json(self, **kwargs: t.Any) -> t.NoReturn:
        """Return the result of the module. Its `warnings` become warnings of Ansible."""
        self._warn(kwargs)
        super().exit_json(**kwargs)
        raise SystemExit  # which it has done: it has no type

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """Return the failure of the module, with its `warnings`."""
        self._warn(kwargs)
        super().fail_json(msg, **kwargs)
        raise SystemExit  # likewise

    def _warn(self, result: dict[str, t.Any]) -> None:
        for warning in result.pop("warnings", ()):
            self.warn(warning)
