# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code that runs on servers or sends requests to them. It imports only Python's standard library and the engine.

Private to this collection: any release may change it.
"""
