"""Schedules: forms, cron expressions, words."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from b2b_recs.project_file.schedules import Schedule

FORMS = [
    ("manual", None, "Only by hand"),
    ({"every_minutes": 15}, "*/15 * * * *", "Every 15 minutes"),
    ({"every_minutes": 1}, "* * * * *", "Every minute"),
    ({"every_minutes": 120}, "0 */2 * * *", "Every 2 hours"),
    ({"hourly": 15}, "15 * * * *", "Hourly at :15"),
    ({"hourly": 5}, "5 * * * *", "Hourly at :05"),
    ({"daily": "02:00"}, "0 2 * * *", "Daily at 02:00"),
    ({"weekly": {"day": "sunday", "time": "23:59"}}, "59 23 * * 0", "Sundays at 23:59"),
    ({"monthly": {"day": 1, "time": "02:00"}}, "0 2 1 * *", "Monthly on day 1 at 02:00"),
    ({"monthly": {"day": "last", "time": "02:00"}}, "0 2 L * *", "Monthly on the last day at 02:00"),
    ({"cron": "0 2 1-5 * *"}, "0 2 1-5 * *", "At 02:00 on every day of month from 1 through 5"),
    ({"daily": "02:00", "paused": True}, "0 2 * * *", "Daily at 02:00 (paused)"),
]


@pytest.mark.parametrize(("form", "cron", "words"), FORMS)
def test_a_form_stands_for_a_cron_expression_and_has_words(form, cron, words):
    schedule = Schedule.model_validate(form)
    assert (schedule.expression, schedule.words) == (cron, words)
    assert schedule.definition() == form


def test_a_cron_expression_with_a_readable_form_is_that_form():
    assert Schedule.model_validate({"cron": "15  * * * *"}) == Schedule.model_validate({"hourly": 15})


@pytest.mark.parametrize(
    "form",
    [
        "daily",
        {"paused": True},
        {"hourly": 60},
        {"hourly": True},
        {"daily": "2"},
        {"daily": "02:60"},
        {"every_minutes": 45},
        {"weekly": {"day": "funday", "time": "02:00"}},
        {"monthly": {"day": 31, "time": "02:00"}},
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
