"""The gallery at /ui/: every component on one page, with example figures, only in debug."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from b2b_recs.web.accounts.policies import public

PORT_WORDS = "This cannot be a port. Give a whole number from 1 to 65,535."


class ExampleForm(forms.Form):
    """One field of each kind, one of them refused."""

    name = forms.CharField(help_text="Shown in every list.")
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    currency = forms.ChoiceField(choices=[("GBP", "GBP"), ("EUR", "EUR")])
    port = forms.IntegerField(
        min_value=1, max_value=65535, error_messages=dict.fromkeys(("min_value", "max_value", "invalid"), PORT_WORDS)
    )
    scheduled = forms.BooleanField(required=False, label="Run on its schedule")


HEIGHTS = (2, 5, 11, 24, 41, 56, 48, 33, 20, 12, 6, 3)
# figures to look at, not figures of anyone
EXAMPLES: dict[str, Any] = {
    "histogram": {
        "bars": [
            {"x": 20 * at, "y": 56 - height, "width": 19, "height": height, "words": f"{at} to {at + 1}: {height} rows"}
            for at, height in enumerate(HEIGHTS)
        ],
        "low": "0",
        "high": "12",
        "words": "price from 0 to 12. Most values: 5 to 6, 56 rows.",
        "beyond": "3 rows above",
        "width": 240,
        "height": 56,
    },
    "kpis": [
        {"name": "Requests, last 24 h", "value": "29,811", "note": "example"},
        {"name": "p95 latency", "value": "6.1 ms", "note": "example"},
        {"name": "NDCG@10", "value": ".381", "note": "95 %: .372 to .390"},
        {"name": "Data", "value": "12m old", "note": "541,909 rows"},
    ],
    "intervals": [
        {
            "name": "User neighbours, v12 (live)",
            "live": True,
            "start": 72,
            "width": 9,
            "middle": 76,
            "value": 0.381,
            "words": ".381, 95 % .372 to .390",
        },
        {
            "name": "buy again",
            "live": False,
            "start": 63,
            "width": 9,
            "middle": 68,
            "value": 0.342,
            "words": ".342, 95 % .330 to .352",
        },
        {
            "name": "popular",
            "live": False,
            "start": 25,
            "width": 6,
            "middle": 28,
            "value": 0.137,
            "words": ".137, 95 % .130 to .146",
        },
    ],
    "rows": [
        {"name": "Order lines", "status": "completed", "word": "Reconciled", "rows": 541909, "seconds": 4.31},
        {"name": "Customers", "status": "partial", "word": "12 rejected", "rows": 4360, "seconds": 0.38},
        {"name": "ERP contracts", "status": "failed", "word": "", "rows": None, "seconds": None},
    ],
    "columns": [("Status", True), ("Rows", True), ("Took", True), ("Bytes", False)],
    "stages": [
        {"name": name, "state": state}
        for name, state in (
            ("connect", "done"),
            ("read", "done"),
            ("load", "running"),
            ("reconcile", "waiting"),
        )
    ],
    "path": [
        {"name": "Sources", "look": "ok", "words": "1 connection", "next": False},
        {"name": "Data", "look": "ok", "words": "541,909 rows, 12m old", "next": False},
        {"name": "Dataset", "look": "warn", "words": "never built", "next": True},
        {"name": "Model", "look": "none", "words": "not trained", "next": False},
        {"name": "Endpoint", "look": "none", "words": "nothing deployed", "next": False},
    ],
    "log": [
        {"level": "info", "message": "Connected to shop, PostgreSQL 16.4"},
        {"level": "warning", "message": "12 rows rejected: “joined_at” is not a date"},
        {"level": "error", "message": "The connection was lost after 210,000 rows"},
    ],
}


@public
def gallery(request: HttpRequest) -> HttpResponse:
    """The page; 404 unless DEBUG is on."""
    if not settings.DEBUG:
        raise Http404
    example = {"name": "Order lines", "currency": "GBP", "port": "90000", "scheduled": True}
    return render(
        request,
        "ui/gallery.html",
        {
            "form": ExampleForm(example),
            "statuses": ["completed", "running", "pending", "partial", "failed", "cancelled", "never"],
            "five_minutes": datetime.now(UTC) - timedelta(minutes=5),
            "page": Paginator(range(50), 20).get_page(2),
            **EXAMPLES,
        },
    )
