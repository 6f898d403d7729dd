"""What a runner elsewhere sends: nothing that a run says keeps its reports from arriving."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from b2b_recs.runtime.platform_client import PlatformClient
from b2b_recs.runtime.recording import Report

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def sent(ask: Any) -> dict[str, Any]:
    """The body of what is asked of a platform that takes everything."""
    bodies: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(
            200, json={"cancel_requested": False} if "progress" in request.url.path else {"again": False}
        )

    with PlatformClient("https://platform.example/runs/1/", "token", httpx.MockTransport(take)) as platform:
        ask(platform)
    body: dict[str, Any] = json.loads(bodies[0])
    return body


def test_a_text_that_is_half_a_letter_arrives_with_a_mark_in_its_place() -> None:
    stages = [{"name": "read", "state": "running", "detail": "x\ud800"}]
    report = Report({"rows_read": 1}, stages, [(NOW, "info", "caf\udce9.csv")])
    body = sent(lambda platform: platform.write(report))
    assert (body["lines"][0]["message"], body["stages"][0]["detail"]) == ("caf?.csv", "x?")


def test_an_end_with_a_text_without_end_arrives_cut() -> None:
    ending = {"status": "failed", "error_code": "drift", "error": "x" * 50_000, "results": {"warnings": ["\ud800"]}}
    body = sent(lambda platform: platform.end(ending))
    assert (len(body["error"]), body["status"], body["results"]) == (20_000, "failed", {"warnings": ["?"]})
