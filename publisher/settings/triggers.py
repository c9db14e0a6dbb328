"""When a job fires: `every 10m`, or five crontab fields with weekdays by name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from publisher.sentences import words

EVERY = re.compile(r"every\s+(\d+)\s*(s|m|h|d)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_trigger(text: str, zone: str, start: datetime | None = None) -> BaseTrigger:
    """The APScheduler trigger a config line means, in `zone`; intervals count from `start`.

    Raises ValueError with the remedy. Numbered weekdays are refused: crontab counts them from
    Sunday, APScheduler from Monday, and a weekly report on the wrong day is nobody's wish.
    """
    every = EVERY.fullmatch(text.strip())
    if every:
        span = timedelta(**{UNITS[every[2]]: int(every[1])})
        if not span:
            raise ValueError(words("«{text}»: an interval must be longer than 0", text=text))
        seconds = int(span.total_seconds())
        return IntervalTrigger(seconds=seconds, start_date=start, timezone=ZoneInfo(zone))
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(
            words(
                "«{text}»: write «every 10m» or five crontab fields, e.g. «30 9 * * mon»", text=text
            )
        )
    if re.search(r"\d", re.sub(r"(/|#)\d+", "", fields[4])):
        raise ValueError(
            words(
                "«{text}»: name the weekdays (mon, tue, … sun) instead of numbering them", text=text
            )
        )
    try:
        return CronTrigger.from_crontab(text, timezone=ZoneInfo(zone))
    except ValueError as error:
        raise ValueError(
            words("«{text}»: {why}; e.g. «30 9 * * mon» or «every 10m»", text=text, why=error)
        ) from error
