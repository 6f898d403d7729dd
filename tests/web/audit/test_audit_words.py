"""Every kind of entry of the audit log, as a stranger reads it: no name that only programs know."""

from __future__ import annotations

import re
from typing import Any

import pytest

from b2b_recs.web.audit.changes import differences
from b2b_recs.web.audit.kinds import BY_CODE, KINDS
from b2b_recs.web.audit.telling import CHANGED, CREATED, REMOVED, Facts
from b2b_recs.web.audit.wording import path_words, value_words


def said(code: str, label: str, name: str, after: dict[str, Any], before: dict[str, Any] | None = None) -> str:
    """What an entry says after whoever acted."""
    kind = BY_CODE[code]
    told = kind.tell(Facts(kind.noun, label, before or {}, after, kind.labels, None))
    changes = f": {'; '.join(map(str, told.changes))}" if told.changes else ""
    return f"{told.phrase}{'' if told.alone else f' {name}'}{changes}"


def changed(code: str, name: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    return said(code, CHANGED, name, after, before)


SENTENCES = {
    "Membership": [
        (said("Membership", CREATED, "nina", {"role": "editor", "user_id": 5}), "added the member nina: editor"),
        (said("Membership", REMOVED, "nina", {"role": "editor", "user_id": 5}), "removed the member nina"),
        (
            changed("Membership", "nina", {"role": "editor"}, {"role": "viewer"}),
            "changed the role of nina: editor → viewer",
        ),
    ],
    "Invitation": [
        (said("Invitation", CREATED, "n@x", {"role": "editor"}), "invited n@x: as editor"),
        (changed("Invitation", "n@x", {}, {"accepted_at": "now"}), "accepted the invitation sent to n@x"),
        (changed("Invitation", "n@x", {}, {"expires_at": "now"}), "made a new link for the invitation of n@x"),
        (said("Invitation", REMOVED, "n@x", {}), "withdrew the invitation of n@x"),
    ],
    "ApiKey": [
        (said("ApiKey", CREATED, "CRM", {"scopes": ["read"]}), "made the API key CRM: may read everything"),
        (changed("ApiKey", "CRM", {}, {"revoked_at": "now"}), "revoked the API key CRM"),
    ],
    "Organization": [
        (changed("Organization", "Acme", {"suspended": False}, {"suspended": True}), "suspended the organization Acme"),
        (
            changed("Organization", "Acme", {"suspended": True}, {"suspended": False}),
            "lifted the suspension of the organization Acme",
        ),
        (
            changed("Organization", "Acme", {"name": "A"}, {"name": "Acme"}),
            "changed the organization Acme: name: A → Acme",
        ),
    ],
    "ModelEndpoint": [
        (said("ModelEndpoint", CREATED, "Gifts", {}), "created the model Gifts"),
        (
            changed("ModelEndpoint", "Gifts", {"status": "draft"}, {"status": "active"}),
            "changed the status of the model Gifts: draft → active",
        ),
        (changed("ModelEndpoint", "Gifts", {}, {"last_trained_at": "x"}), "noted when a version was trained for Gifts"),
        (
            changed("ModelEndpoint", "Gifts", {}, {"last_deployed_at": "x"}),
            "noted when a version went into service for Gifts",
        ),
    ],
    "Connection": [
        (said("Connection", CREATED, "shop", {}), "created the connection shop"),
        (
            changed(
                "Connection", "shop", {"parameters": {"ssl_mode": "prefer"}}, {"parameters": {"ssl_mode": "require"}}
            ),
            "changed the connection shop: ssl mode: prefer → require",
        ),
        (
            changed("Connection", "shop", {}, {"last_test_at": "x", "last_test_status": "refused"}),
            "tested the connection shop: refused",
        ),
    ],
    "StoredSecret": [
        (
            said("StoredSecret", CREATED, "shop", {"name": "model-3-connection-7-credentials/private_key"}),
            "stored the private key of the connection shop",
        ),
        (changed("StoredSecret", "SHOP", {}, {"name": "secrets/SHOP"}), "replaced the secret SHOP"),
    ],
    "ETLConfiguration": [
        (
            changed("ETLConfiguration", "Gifts", {"enabled": True}, {"enabled": False}),
            "changed the settings for all copies of Gifts: copying: on → off",
        ),
    ],
    "DataSource": [
        (said("DataSource", CREATED, "orders", {"draft": True}), "began the job orders"),
        (changed("DataSource", "orders", {"draft": True}, {"draft": False}), "finished setting up the job orders"),
        (changed("DataSource", "orders", {"enabled": True}, {"enabled": False}), "switched off the job orders"),
        (said("DataSource", REMOVED, "orders", {}), "deleted the job orders"),
    ],
    "DataSourceTable": [
        (
            changed(
                "DataSourceTable",
                "orders",
                {"spec": {"load": {"strategy": "transactional"}, "reject_threshold": 0.05, "drift": "add"}},
                {"spec": {"load": {"strategy": "catalog"}, "reject_threshold": 0.1, "drift": "stop"}},
            ),
            "changed the copy settings of orders: what a run loads: new rows → the whole table; share of rows that may "
            "be rejected: 5 % → 10 %; new columns in the source: added → stop the run",
        ),
        (
            changed(
                "DataSourceTable",
                "orders",
                {"spec": {"types": [{"name": "unit_price", "warehouse_type": "STRING"}]}},
                {"spec": {"types": [{"name": "unit_price", "warehouse_type": "NUMERIC"}]}},
            ),
            "changed the copy settings of orders: type of unit_price: STRING → NUMERIC",
        ),
    ],
    "Schedule": [(said("Schedule", REMOVED, "orders", {}), "removed the schedule of orders")],
    "ETLRun": [
        (said("ETLRun", CREATED, "orders", {"triggered_by": "api"}), "asked for a copy of orders: by the API"),
        (changed("ETLRun", "orders", {"status": "pending"}, {"status": "running"}), "began the copy of orders"),
        (changed("ETLRun", "orders", {"status": "running"}, {"status": "completed"}), "finished the copy of orders"),
        (
            changed("ETLRun", "orders", {"status": "running"}, {"status": "partial"}),
            "finished the copy of orders: some rows were rejected",
        ),
        (
            changed("ETLRun", "orders", {"status": "running"}, {"status": "failed", "error_code": "table_missing"}),
            "could not finish the copy of orders: the table does not exist",
        ),
        (
            changed("ETLRun", "orders", {"status": "running"}, {"status": "running", "cancel_requested": True}),
            "stopped the copy of orders",
        ),
        (changed("ETLRun", "orders", {"status": "running"}, {"status": "cancelled"}), "cancelled the copy of orders"),
        (changed("ETLRun", "orders", {"attempt": 1}, {"attempt": 2}), "tried again the copy of orders"),
    ],
    "PipelineRun": [
        (
            said("PipelineRun", CREATED, "Gifts", {"triggered_by": "schedule"}),
            "asked for a training of Gifts: by its schedule",
        ),
    ],
    "RunLogLine": [(said("RunLogLine", REMOVED, "17", {}), "deleted a line in the log of run 17")],
    "Dataset": [
        (
            changed(
                "Dataset",
                "purchases",
                {"spec": {"filters": {"where": [{"column": "quantity", "op": ">", "value": 0}]}}},
                {"spec": {"filters": {"where": [{"column": "code", "op": "not in", "value": ["POST", "M"]}]}}},
            ),
            "changed the dataset purchases: condition 1: quantity > 0 → code not in POST, M",
        ),
        (
            changed(
                "Dataset", "p", {"spec": {"roles": {"revenue": None}}}, {"spec": {"roles": {"revenue": "line_total"}}}
            ),
            "changed the dataset p: column of the revenue: none → line_total",
        ),
    ],
    "DatasetVersion": [
        (said("DatasetVersion", CREATED, "purchases", {"number": 3}), "created the dataset version 3 of purchases")
    ],
    "FeatureConfig": [(said("FeatureConfig", CREATED, "basic", {}), "created the features basic")],
    "PipelineConfiguration": [
        (
            changed(
                "PipelineConfiguration", "Gifts", {"spec": {"deploy": "never"}}, {"spec": {"deploy": "when_better"}}
            ),
            "changed the training settings of Gifts: when a version goes into service: never → when it is better",
        )
    ],
    "Experiment": [(said("Experiment", CREATED, "Popular", {}), "measured the algorithm Popular")],
    "TrainedModel": [
        (said("TrainedModel", CREATED, "Gifts", {"number": 4}), "created the trained version 4 of Gifts"),
        (
            changed("TrainedModel", "Gifts", {"number": 4, "status": "candidate"}, {"number": 4, "status": "blessed"}),
            "changed the trained version 4 of Gifts: status: candidate → passed the gate",
        ),
    ],
    "Deployment": [(said("Deployment", CREATED, "Gifts", {"trained_model": 4}), "put into service v4 of Gifts")],
    "Removal": [(said("Removal", CREATED, "bq_orders", {"kind": "table"}), "deleted the warehouse table bq_orders")],
    "PredictionLog": [(said("PredictionLog", REMOVED, "Gifts", {}), "deleted the count of requests of Gifts")],
    "SystemMetrics": [(said("SystemMetrics", REMOVED, "2026-11-28", {}), "deleted the figures of the day 2026-11-28")],
    "KeptAnswer": [(said("KeptAnswer", REMOVED, "abc", {}), "deleted the answer kept for the request abc")],
}


@pytest.mark.parametrize("code", [kind.code for kind in KINDS])
def test_every_kind_of_entry_is_told_in_words(code: str) -> None:
    assert SENTENCES[code]
    for found, expected in SENTENCES[code]:
        assert found == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
@pytest.mark.parametrize("label", [CREATED, CHANGED, REMOVED])
def test_no_phrase_holds_the_name_of_a_table_or_a_column(kind: Any, label: str) -> None:
    told = kind.tell(Facts(kind.noun, label, {}, {}, kind.labels, None))
    assert not re.search(r"_|[a-z][A-Z]", told.phrase), told.phrase


def test_a_setting_without_words_of_its_own_keeps_its_name_with_blanks() -> None:
    assert path_words("filters top revenue share") == "products of the top share of revenue"
    assert path_words("some new setting") == "some new setting"
    assert value_words("reject threshold", 0.055) == "5.5 %" and value_words("parallel", 2) == 2
    (one,) = differences({"spec": ""}, {"spec": {"joins": [{"table": "a"}]}}, {"spec": {"joins": [{"table": "b"}]}})
    assert str(one) == "joined table 1: a → b"


def test_what_is_the_same_and_what_only_programs_note_is_left_out() -> None:
    chosen = {"name": "product_id", "warehouse_type": "INT64", "reason": "", "warning": None, "confidence": "high"}
    before = {"types": [{**chosen, "scale": 0}], "destination_table": "bq_a", "columns": [], "row_limit": None}
    after = {
        "types": [{**chosen, "reason": None, "warning": "", "confidence": "low", "scale": 2}],
        "destination_table": "bq_b", "destination_dataset": "raw_data", "reject_threshold": 0.05, "drift": "add",
        "columns": None, "schedule": {"kind": "daily"},
    }  # fmt: skip
    found = differences({"spec": "", "description": "words"}, {"spec": before, "description": None},
                        {"spec": after, "description": ""})  # fmt: skip
    assert list(map(str, found)) == ["scale of product_id: 0 → 2", "warehouse table: bq_a → bq_b"]
    (told,) = differences({"spec": ""}, {"spec": {"drift": "stop"}}, {"spec": {"drift": "add"}})
    assert str(told) == "new columns in the source: stop the run → added"
