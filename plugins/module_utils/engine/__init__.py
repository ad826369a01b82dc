# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that all topics use: options, reads, plans, writes and waits. The engine does not import a topic.

Private to this collection: any release may change it.
"""
