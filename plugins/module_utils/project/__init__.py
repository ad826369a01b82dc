# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Code that uses several topics: the preflight's rules, the sites, and the teardown.

Private to this collection: any release may change it.
"""
