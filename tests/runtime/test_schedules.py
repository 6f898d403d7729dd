"""Schedules come due exactly when the local clock says so, also on the days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_clock import naive_moments
from pydantic import ValidationError

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.schedules import DAYS, FIELDS, ScheduleSpec

ZONES = sorted(available_timezones() - {"localtime"})
# Jumps of half an hour, of three hours back, of a whole day, at midnight, twice a year with Ramadan, negative summer.
ODD_ZONES = ["Australia/Lord_Howe", "Antarctica/Casey", "Pacific/Apia", "America/Havana", "Africa/Casablanca"]
ODD_ZONES += ["Europe/Dublin", "Asia/Kathmandu", "America/St_Johns", "Europe/London", "Africa/Cairo", "Asia/Pyongyang"]
CRONS = ["*/20 * * * *", "15 * * * *", "30 1,2 * * *", "0 */2 * * *", "*/30 2 * * *", "10-50/20 * * * SUN", "0 0 L * *"]
times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59)) | st.sampled_from(
    ["00:00", "00:30", "01:30", "02:00", "02:15", "02:30", "23:59"]
)
days = st.integers(1, 31) | st.just("last")
rules = st.one_of(
    st.builds(lambda every: {"kind": "minutes", "every": every}, st.integers(1, 1440)),
    st.builds(lambda minute: {"kind": "hourly", "minute": minute}, st.integers(0, 59)),
    st.builds(lambda time: {"kind": "daily", "time": time}, times),
    st.builds(
        lambda days, time: {"kind": "weekly", "days": days, "time": time},
        st.lists(st.sampled_from(DAYS), min_size=1, max_size=3),
        times,
    ),
    st.builds(lambda day, time: {"kind": "monthly", "day": day, "time": time}, days, times),
    st.sampled_from([{"kind": "cron", "cron": cron} for cron in CRONS]),
)
zones = st.sampled_from(ZONES) | st.sampled_from(ODD_ZONES)


def changes_of(zone: str, year: int) -> list[datetime]:
    """The hours of a year in which the zone's clocks change, and one in which they do not."""
    start, clock = datetime(year, 1, 1, tzinfo=UTC), ZoneInfo(zone)
    offsets = [(start + timedelta(hours=hour)).astimezone(clock).utcoffset() for hour in range(366 * 24)]
    return [start + timedelta(hours=hour) for hour in range(1, 366 * 24) if offsets[hour] != offsets[hour - 1]]


@settings(max_examples=100, deadline=None)
@given(rules, zones, st.integers(2000, 2037), st.data())
def test_moments_equal_those_of_somebody_who_looks_at_the_clock_every_minute(
    rule: dict[str, object], zone: str, year: int, data: st.DataObject
) -> None:
    spec = ScheduleSpec.parse({**rule, "time_zone": zone})
    at = data.draw(st.sampled_from([*changes_of(zone, year), datetime(year, 2, 28, tzinfo=UTC)]))
    after = at - timedelta(minutes=data.draw(st.integers(0, 3 * 60)), seconds=data.draw(st.integers(0, 59)))
    until = after + timedelta(hours=30)
    found = []
    for moment in spec.moments(after):
        if moment > until:
            break
        found.append(moment)
    assert found == naive_moments(spec, after, until)


@settings(max_examples=40, deadline=None)
@given(rules, zones, st.integers(946_684_800, 2_082_758_400).map(lambda at: datetime.fromtimestamp(at, UTC)))
def test_next_times_are_in_order_after_the_moment_and_asking_again_goes_on(
    rule: dict[str, object], zone: str, after: datetime
) -> None:
    spec = ScheduleSpec.parse({**rule, "time_zone": zone})
    times = spec.next_times(after)
    assert len(times) == 5 and times == sorted(set(times)) and times[0] > after
    assert spec.next_times(times[0], 4) == times[1:]
    assert all(moment.tzinfo is UTC and moment.microsecond == 0 for moment in times)


@settings(max_examples=200, deadline=None)
@given(rules, zones)
@example({"kind": "manual"}, "UTC")
def test_a_rule_is_what_its_document_and_its_fields_say(rule: dict[str, object], zone: str) -> None:
    spec = ScheduleSpec.parse({**rule, "time_zone": zone})
    assert ScheduleSpec.parse(spec.model_dump()) == spec
    assert ScheduleSpec.parse(spec.model_dump(mode="json")) == spec
    assert ScheduleSpec.parse({"kind": spec.kind, "time_zone": zone, **spec.fields}) == spec
    assert tuple(sorted(spec.fields)) == tuple(sorted(FIELDS[spec.kind]))


@pytest.mark.parametrize(
    ("rule", "zone", "after", "following"),
    [
        # on 29 March 2026 Berlin's clocks jump from 02:00 to 03:00, on 25 October they go from 03:00 back to 02:00
        ({"kind": "daily", "time": "02:30"}, "Europe/Berlin", "2026-03-28T12:00", "29T01:00 30T00:30"),
        ({"kind": "daily", "time": "02:30"}, "Europe/Berlin", "2026-10-24T12:00", "25T00:30 26T01:30"),
        # asked between the first and the second 02:30: the one that is over does not come again
        ({"kind": "daily", "time": "02:30"}, "Europe/Berlin", "2026-10-25T01:15", "26T01:30 27T01:30"),
        ({"kind": "hourly", "minute": 0}, "Europe/Berlin", "2026-10-24T23:30", "25T00:00 25T01:00 25T02:00"),
        ({"kind": "hourly", "minute": 0}, "Europe/Berlin", "2026-03-29T00:30", "29T01:00 29T02:00"),
        ({"kind": "minutes", "every": 40}, "Europe/Berlin", "2026-03-29T00:30", "29T00:40 29T01:20 29T02:00"),
        # two skipped times come due together, once
        ({"kind": "cron", "cron": "10,40 2 * * *"}, "Europe/Berlin", "2026-03-28T12:00", "29T01:00 30T00:10"),
        # every hour, however it is written: the one that is shown twice has no gap
        ({"kind": "cron", "cron": "0 0-23 * * *"}, "Europe/Berlin", "2026-10-24T23:30", "25T00:00 25T01:00 25T02:00"),
        ({"kind": "monthly", "day": 30, "time": "08:00"}, "UTC", "2026-02-01T00:00", "28T08:00 30T08:00 30T08:00"),
        ({"kind": "monthly", "day": "last", "time": "08:00"}, "UTC", "2028-02-01T00:00", "29T08:00 31T08:00"),
    ],
)
def test_the_days_on_which_clocks_change(rule: dict[str, object], zone: str, after: str, following: str) -> None:
    spec = ScheduleSpec.parse({**rule, "time_zone": zone})
    expected = following.split()
    found = spec.next_times(datetime.fromisoformat(after).replace(tzinfo=UTC), len(expected))
    assert [moment.strftime("%dT%H:%M") for moment in found] == expected


def test_what_runs_by_hand_never_comes_due() -> None:
    spec = ScheduleSpec.parse({"kind": "manual"})
    assert (spec.next_times(datetime.now(UTC)), spec.next_time(datetime.now(UTC)), spec.words) == (
        [],
        None,
        "Only by hand",
    )


WORDS = [
    ({"kind": "minutes", "every": 1}, "Every minute"),
    ({"kind": "minutes", "every": 15}, "Every 15 minutes"),
    ({"kind": "minutes", "every": 60}, "Every hour"),
    ({"kind": "minutes", "every": 240}, "Every 4 hours"),
    ({"kind": "hourly", "minute": 5}, "Every hour at :05, Europe/London"),
    ({"kind": "daily", "time": "2:00"}, "Every day at 02:00, Europe/London"),
    (
        {"kind": "weekly", "days": ["friday", "monday"], "time": "02:00"},
        "Every Monday and Friday at 02:00, Europe/London",
    ),
    ({"kind": "monthly", "day": 1, "time": "02:00"}, "Every month on day 1 at 02:00, Europe/London"),
    (
        {"kind": "monthly", "day": 30, "time": "02:00"},
        "Every month on day 30, or the last day of a shorter month, at 02:00, Europe/London",
    ),
    ({"kind": "monthly", "day": "last", "time": "02:00"}, "Every month on the last day at 02:00, Europe/London"),
    ({"kind": "cron", "cron": "0 2 * * 1-5"}, "At 02:00 on Monday through Friday, Europe/London"),
]


@pytest.mark.parametrize(("rule", "words"), WORDS)
def test_every_rule_has_words(rule: dict[str, object], words: str) -> None:
    assert ScheduleSpec.parse({**rule, "time_zone": "Europe/London"}).words == words


BAD = [
    ({"kind": "yearly"}, "kind", "Choose one of manual"),
    ({"kind": "daily"}, "time", "Give the time of day"),
    ({"kind": "daily", "time": "24:00"}, "time", "Give the time of day"),
    ({"kind": "daily", "time": "٠٢:٠٠"}, "time", "Give the time of day"),
    ({"kind": "daily", "time": "02:00", "minute": 3}, "minute", "It has time."),
    ({"kind": "manual", "every": 3}, "every", "It has nothing else."),
    ({"kind": "minutes", "every": 0}, "every", "from 1 to 1440"),
    ({"kind": "minutes", "every": "15"}, "every", "from 1 to 1440"),
    ({"kind": "hourly", "minute": 60}, "minute", "from 0 to 59"),
    ({"kind": "hourly", "minute": True}, "minute", "from 0 to 59"),
    ({"kind": "weekly", "days": [], "time": "02:00"}, "days", "Choose one or more of Monday"),
    ({"kind": "weekly", "days": ["funday"], "time": "02:00"}, "days", "Choose one or more of Monday"),
    ({"kind": "monthly", "day": 32, "time": "02:00"}, "day", "from 1 to 31, or last"),
    ({"kind": "cron", "cron": "61 * * * *"}, "cron", "Write five fields"),
    ({"kind": "cron", "cron": "0 0 31 2 *"}, "cron", "Write five fields"),
    ({"kind": "cron", "cron": "0 0 2 * * *"}, "cron", "Write five fields"),
    ({"kind": "hourly", "minute": 1, "time_zone": "Mars/Base"}, "time_zone", "Europe/Berlin"),
    ({"kind": "hourly", "minute": 1, "time_zone": "../../etc/passwd"}, "time_zone", "Europe/Berlin"),
    ({"kind": "hourly", "minute": 1, "time_zone": "a\0b"}, "time_zone", "Europe/Berlin"),
    ({"kind": "hourly", "minute": 1, "when": 1}, "when", "It has kind"),
]


def test_a_bad_field_of_a_cron_line_is_told_with_what_it_takes() -> None:
    for text, told in (("61 2 * * *", "the minute, from 0 to 59"), ("0 2 * * 8", "the day of the week, from 0")):
        with pytest.raises(BadInput, match=told):
            ScheduleSpec.parse({"kind": "cron", "cron": text})


def test_what_is_missing_is_named_in_words_and_the_words_a_cron_line_knows_are_told() -> None:
    for kind, told in (("cron", "The rule (cron) is missing."), ("hourly", "The minute of the hour is missing.")):
        with pytest.raises(BadInput) as missing:
            ScheduleSpec.parse({"kind": kind})
        assert missing.value.message == told
    with pytest.raises(BadInput) as unknown:
        ScheduleSpec.parse({"kind": "cron", "cron": "0 2 LAST * *"})
    assert "JAN to DEC, SUN to SAT, and L for the last" in unknown.value.advice


def test_days_may_be_written_as_they_are_told() -> None:
    rule = ScheduleSpec.parse({"kind": "weekly", "days": ["Friday", "monday"], "time": "02:00"})
    assert rule.days == ("monday", "friday")


@pytest.mark.parametrize(("rule", "field", "advice"), BAD)
def test_a_bad_rule_is_refused_with_its_field_and_its_mend(rule: dict[str, object], field: str, advice: str) -> None:
    with pytest.raises(BadInput) as refused:
        ScheduleSpec.parse(rule)
    assert refused.value.field == field
    assert advice in refused.value.advice
    with pytest.raises(ValidationError) as invalid:
        ScheduleSpec.model_validate(rule)
    assert {error["loc"][0] for error in invalid.value.errors()} >= {field}


def test_a_schedule_that_comes_often_is_answered_at_once() -> None:
    spec = ScheduleSpec.parse({"kind": "cron", "cron": "* * * * *", "time_zone": "America/New_York"})
    after = datetime(2026, 11, 1, 5, 59, tzinfo=UTC)
    assert spec.next_times(after, 300)[-1] - after == timedelta(minutes=300)
