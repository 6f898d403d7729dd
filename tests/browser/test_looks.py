"""Every page at both widths, in light and in dark: axe finds nothing, nothing is wider than the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from browser.sweep import looks
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]

PATHS = (
    "/",
    "/?q=nothing+like+this",
    "/find/?q=order",
    "/ui/",
    "/models/new/",
    "/models/{live}/",
    "/models/{busy}/",
    "/models/{failed}/",
    "/models/{live}/setup/",
    "/models/{live}/runs/",
    "/models/{live}/runs/copies/{copy}/",
    "/models/{failed}/runs/copies/{refused}/",
    "/models/{live}/runs/trainings/{training}/",
    "/models/{live}/versions/",
    "/models/{failed}/versions/",
    "/models/{failed}/delete/",
    "/models/{live}/try/?customer=17850&k=5",
    "/models/{failed}/try/",
    "/models/{live}/keys/",
    "/models/{live}/etl/",
    "/models/{busy}/etl/",
    "/models/{failed}/etl/",
    "/models/{live}/etl/connections/new/",
    "/models/{live}/etl/connections/new/postgresql/",
    "/models/{live}/etl/connections/new/s3/",
    "/models/{live}/etl/connections/{shop}/edit/",
    "/models/{live}/etl/jobs/new/",
    "/models/{live}/etl/jobs/{lines}/",
    "/models/{live}/etl/jobs/{lines}/step/3/",
    "/models/{live}/etl/jobs/{draft}/step/1/",
    "/models/{live}/etl/jobs/{draft}/step/2/",
    "/models/{live}/etl/jobs/{draft}/step/3/",
    "/models/{live}/etl/jobs/{draft}/step/4/",
    "/models/{live}/etl/jobs/{draft}/step/5/",
    "/models/{live}/data/",
    "/models/{live}/data/bq_order_lines/",
    "/models/{live}/data/bq_order_lines/delete/",
    "/models/{live}/data/bq_order_lines/preview/",
    "/models/{live}/data/bq_order_lines/statistics/",
    "/models/{live}/data/bq_products/quality/",
    "/models/{live}/data/bq_order_lines/versions/",
    "/models/{live}/data/bq_products/versions/compare/?before=0&after=1",
    "/models/{live}/data/bq_customers/rejected/",
    "/organization/",
    "/organization/members/",
    "/organization/api-keys/",
    "/organization/audit/?period=all",
    "/account/",
    "/accounts/email/",
    "/accounts/logout/",
    "/accounts/password/reset/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/",
    "/invitations/1-unknown/",
)
# What answers without being a page of its own: parts of pages, forms' targets, files, other programs' addresses.
NOT_PAGES = {
    "health", "model_live", "model_status", "model_train", "model_run", "connection_test", "connection_card",
    "connection_switch", "connection_delete", "etl_jobs", "etl_numbers", "etl_run_all", "etl_follow",
    "job_name_check", "job_table_check", "job_schedule_words", "job_live", "job_tables", "job_run", "job_switch",
    "job_delete",
    "version_deploy", "service_back", "service_stop", "service_start",
    "etl_run_live", "etl_run_cancel", "etl_run_again", "pipeline_run_live", "pipeline_run_cancel",
    "pipeline_run_again", "model_setup_facts", "data_download", "data_statistics_panel", "data_quality_panel",
    "data_compare_panel",
    "data_rejected_export", "try_answer", "try_customers", "model_key_revoke", "organization_key_revoke",
    "choose_organization", "leave_organization", "member_role", "member_remove", "invitation_renew",
    "invitation_withdraw", "audit_csv", "runner_assignment", "runner_progress", "runner_used", "runner_interrupted",
    "runner_end",
}  # fmt: skip
# Of the sign-in's own pages those in PATHS and in the tests of this file's neighbours are looked at.
SIGN_IN = ("account_", "mfa_", "sign_in_link")


def path_of(site: Installation, path: str) -> str:
    """The path with the ids of what was seeded."""
    seeded, live = site.seeded, site.seeded["live"]
    return path.format(
        **{name: seeded[name] for name in ("live", "busy", "failed", "shop")},
        copy=next(run for model, run in seeded["runs"] if model == live),
        refused=next(run for model, run in seeded["runs"] if model == seeded["failed"]),
        training=next(run for model, run in seeded["pipelines"] if model == live),
        lines=seeded["jobs"]["order lines"],
        draft=seeded["jobs"]["Price list"],
    )


def settle(visitor: Visitor) -> None:
    """Wait until what a page asks for after it came is there."""
    page = visitor.page
    if page.locator("[hx-trigger*=load]").count():
        page.wait_for_load_state("networkidle")
    expect(page.locator("#panel[data-poll]")).to_have_count(0)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_fault_axe_can_find_and_keeps_the_security_policy(
    looker: Visit, site: Installation, owner_state: Any, path: str
) -> None:
    visitor = looker(owner_state)
    visitor.page.goto(site.url + path_of(site, path))
    settle(visitor)
    assert looks(visitor, path) == []
    assert [text for text in visitor.complaints if "404" not in text] == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/signup/", "/organization/new/"])
def test_a_page_for_strangers_has_no_fault(looker: Visit, path: str) -> None:
    visitor = looker()
    visitor.go(path)
    assert looks(visitor, path) == []
    assert visitor.complaints == []


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    """The names of all addresses that have no namespace (the API's and the operator's have one)."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield str(pattern.name)
        elif not pattern.namespace:
            yield from names(pattern.url_patterns)


def test_every_page_is_looked_at() -> None:
    numbers = dict.fromkeys(("live", "busy", "failed", "shop", "copy", "refused", "training", "lines", "draft"), 1)
    seen = {resolve(path.format(**numbers).partition("?")[0]).url_name for path in PATHS}
    found = {name for name in names(get_resolver().url_patterns) if not name.startswith(SIGN_IN)}
    assert found - seen - NOT_PAGES == {"organization_new"}
