"""Schedules: forms, cron expressions, words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from b2b_recs.project_file.schedules import Schedule
from b2b_recs.runtime.schedules import ScheduleSpec

FORMS = [
    ("manual", {"kind": "manual"}, "Only by hand"),
    ({"every_minutes": 15}, {"kind": "minutes", "every": 15}, "Every 15 minutes"),
    ({"every_minutes": 45}, {"kind": "minutes", "every": 45}, "Every 45 minutes"),
    ({"every_minutes": 120}, {"kind": "minutes", "every": 120}, "Every 2 hours"),
    ({"hourly": 5}, {"kind": "hourly", "minute": 5}, "Every hour at :05"),
    ({"daily": "02:00"}, {"kind": "daily", "time": "02:00"}, "Every day at 02:00"),
    (
        {"weekly": {"day": "sunday", "time": "23:59"}},
        {"kind": "weekly", "days": ["sunday"], "time": "23:59"},
        "Every Sunday at 23:59",
    ),
    (
        {"weekly": {"days": ["monday", "friday"], "time": "23:59"}},
        {"kind": "weekly", "days": ["monday", "friday"], "time": "23:59"},
        "Every Monday and Friday at 23:59",
    ),
    (
        {"monthly": {"day": 1, "time": "02:00"}},
        {"kind": "monthly", "day": 1, "time": "02:00"},
        "Every month on day 1 at 02:00",
    ),
    (
        {"monthly": {"day": 31, "time": "02:00"}},
        {"kind": "monthly", "day": 31, "time": "02:00"},
        "Every month on day 31, or the last day of a shorter month, at 02:00",
    ),
    (
        {"monthly": {"day": "last", "time": "02:00"}},
        {"kind": "monthly", "day": "last", "time": "02:00"},
        "Every month on the last day at 02:00",
    ),
    (
        {"cron": "0 2 1-5 * *"},
        {"kind": "cron", "cron": "0 2 1-5 * *"},
        "At 02:00 on every day of month from 1 through 5",
    ),
    ({"daily": "02:00", "paused": True}, {"kind": "daily", "time": "02:00"}, "Every day at 02:00 (paused)"),
    (
        {"daily": "02:00", "time_zone": "Asia/Tokyo"},
        {"kind": "daily", "time": "02:00", "time_zone": "Asia/Tokyo"},
        "Every day at 02:00, Asia/Tokyo",
    ),
]


@pytest.mark.parametrize(("form", "rule", "words"), FORMS)
def test_a_form_stands_for_a_rule_and_has_words(form, rule, words):
    schedule = Schedule.model_validate(form)
    spec = ScheduleSpec.parse({"time_zone": "Europe/London"} | rule)
    assert (schedule.spec("Europe/London"), schedule.words) == (spec, words)
    assert schedule.definition() == form
    assert Schedule.of(spec, schedule.paused, "Europe/London") == schedule


@pytest.mark.parametrize(
    ("cron", "form"),
    [
        ("15  * * * *", {"hourly": 15}),
        ("*/15 * * * *", {"every_minutes": 15}),
        ("30 2 * * *", {"daily": "02:30"}),
        ("30 2 * * 0", {"weekly": {"day": "sunday", "time": "02:30"}}),
        ("30 2 * * 1", {"weekly": {"day": "monday", "time": "02:30"}}),
        ("30 2 L * *", {"monthly": {"day": "last", "time": "02:30"}}),
    ],
)
def test_a_cron_expression_with_a_readable_form_is_that_form_and_comes_at_the_same_moments(cron, form):
    schedule = Schedule.model_validate({"cron": cron})
    assert schedule == Schedule.model_validate(form)
    after = datetime(2026, 3, 28, 23, 50, tzinfo=UTC)
    written = ScheduleSpec.parse({"kind": "cron", "cron": cron, "time_zone": "Asia/Kathmandu"})
    assert written.next_times(after, 40) == schedule.spec("Asia/Kathmandu").next_times(after, 40)


@pytest.mark.parametrize(
    "form",
    [
        "daily",
        {"paused": True},
        {"hourly": 60},
        {"hourly": True},
        {"daily": "2"},
        {"daily": "02:60"},
        {"every_minutes": 0},
        {"every_minutes": 1441},
        {"daily": 120},
        {"daily": "02:00", "time_zone": "Mars/Base"},
        {"time_zone": "UTC"},
        {"weekly": {"days": [], "time": "02:00"}},
        {"weekly": {"days": ["monday"], "day": "monday", "time": "02:00"}},
        {"weekly": {"day": "funday", "time": "02:00"}},
        {"monthly": {"day": 32, "time": "02:00"}},
        {"cron": "* * * * * *"},
        {"cron": "0 0 30 2 *"},
        {"hourly": 1, "cron": "0 2 * * *"},
        15,
        None,
    ],
)
def test_what_is_no_schedule_is_refused(form):
    with pytest.raises(ValidationError):
        Schedule.model_validate(form)
