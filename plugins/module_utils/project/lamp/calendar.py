# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times in systemd's syntax, as far as they can be checked without systemd. A server checks them with systemd itself.

https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html#Calendar%20Events
"""

from __future__ import annotations

import re

SHORT = ("minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly")
ONE = r"(?:\*|\d{1,4}(?:\.\.\d{1,4})?(?:/[1-9]\d{0,3})?)"
SOME = rf"{ONE}(?:,{ONE})*"
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
DAYS = rf"{DAY}(?:\.\.{DAY})?(?:,{DAY}(?:\.\.{DAY})?)*"
DATE = rf"(?:(?P<year>{SOME})-)?(?P<month>{SOME})-(?P<day>{SOME})"
TIME = rf"(?P<hour>{SOME}):(?P<minute>{SOME})(?::(?P<second>{SOME}))?"
ZONE = r"UTC|[A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+"
CALENDAR = re.compile(rf"(?:(?P<days>{DAYS}) ?)?(?:{DATE} ?)?(?:{TIME})?(?: (?P<zone>{ZONE}))?")
RANGES = {"year": (1970, 2199), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}


def check_calendar(text: str) -> None:
    """Raise ValueError if the text is not a time in the part of systemd's syntax that schedules can use."""
    if text in SHORT:
        return
    found = CALENDAR.fullmatch(text)
    if not found or text != " ".join(text.split()) or not (found["days"] or found["month"] or found["hour"]):
        raise ValueError(f"'{text}' is not a time in systemd's syntax")
    for span in (found["days"] or "").split(","):
        numbers = [WEEK.index(day) for day in span.split("..") if day]
        if numbers != sorted(numbers):
            raise ValueError(f"'{span}' is not a range of days of a week from Mon to Sun")
    for part, (least, most) in RANGES.items():
        _check_part(found[part] or "", part, least, most)


def _check_part(text: str, part: str, least: int, most: int) -> None:
    for one in filter(None, text.split(",")):
        span, _slash, step = one.partition("/")
        numbers = [int(number) for number in span.split("..") if number != "*"]
        if any(not least <= number <= most for number in numbers) or numbers != sorted(numbers):
            raise ValueError(f"'{one}' is not a {part} from {least} to {most}")
        last = numbers[1] if len(numbers) > 1 else most
        if step and numbers[0] + int(step) > last:
            raise ValueError(f"'{one}' is not a {part} that is repeated until {last}")
