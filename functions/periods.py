"""A timer's schedule -> the longest time between two of its runs, so that one that is missing shows.

Six fields of NCRONTAB (second, minute, hour, day, month, day of week) or `hh:mm:ss` between two runs, as `shared.poll_settings.schedule` takes them.
"""

from __future__ import annotations

DAY = 86_400
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def longest_period(schedule: str) -> float | None:
    """Seconds; None where it can not be told: a schedule by months, or one that makes no sense."""
    try:
        if ":" in schedule:
            hours, minutes, seconds = map(int, schedule.split(":"))
            return float(hours * 3600 + minutes * 60 + seconds) or None
        second, minute, hour, day, month, weekday = schedule.split()
        if month != "*":
            return None
        times = {
            h * 3600 + m * 60 + s
            for h in numbers(hour, 0, 23)
            for m in numbers(minute, 0, 59)
            for s in numbers(second, 0, 59)
        }
        days = 1
        if weekday != "*":
            days = widest({number % 7 for number in numbers(weekday, 0, 7)}, 7)
        if day != "*":
            days = max(days, widest(numbers(day, 1, 31), 31))
        # From the last run of one day to the first of the next one that has any.
        across = days * DAY - max(times) + min(times)
        return float(max(across, widest(times, DAY)) if days > 1 else widest(times, DAY))
    except ValueError:
        return None


def numbers(field: str, low: int, high: int) -> set[int]:
    """What a field of NCRONTAB names: `*`, `*/5`, `1-5`, `1-5/2`, `mon`, with commas; raises ValueError for anything else."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = number(begin)
            last = number(end) if dash else high if step else first
        if not low <= first <= last <= high:
            raise ValueError(field)
        found.update(range(first, last + 1, int(step) if step else 1))
    return found


def number(word: str) -> int:
    """A number, or a day of the week by its first three letters."""
    return WEEKDAYS.index(word[:3].lower()) if word.isalpha() else int(word)


def widest(members: set[int], around: int) -> int:
    """The widest gap between neighbours on a circle of so many."""
    ordered = sorted(members)
    return max(after - before for before, after in zip(ordered, [*ordered[1:], ordered[0] + around], strict=True))
