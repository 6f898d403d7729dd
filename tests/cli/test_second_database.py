"""A seller's database with other table and column names becomes a recommender that answers, without touching code."""

from __future__ import annotations

import json

import pytest
from command_line import Stack
from wholesale_shop import KNOWN, Shop

pytestmark = pytest.mark.xdist_group("cli")  # one stack, one process
MODEL = "Großhandel"


def test_a_run_copies_trains_and_deploys_and_writes_every_figure(stack: Stack, shop: Shop) -> None:
    jobs = {job["name"]: job for job in stack.ran["jobs"]}
    assert jobs["positionen"]["rows_loaded"] == jobs["positionen"]["source_count"] == shop.lines
    assert all(job["reconciled"] and not job["rows_rejected"] for job in jobs.values())
    assert stack.ran["dataset"]["rows"] == shop.lines and stack.ran["dataset"]["customers"] == 60
    assert stack.ran["pipeline_run"]["status"] == "completed"
    assert stack.ran["deployment"]["deployed"] and stack.ran["deployment"]["serving"]["version"] == "v1"
    chosen = [one for one in stack.ran["algorithms"] if one["chosen"]]
    assert len(chosen) == 1 and 0 < chosen[0]["metrics"]["all"]["recall@10"]["value"] <= 1


def test_applying_again_changes_nothing(stack: Stack) -> None:
    assert stack.command("apply", stack.file).well().out.strip() == "nothing to change"


def test_a_dry_run_tells_the_changes_and_makes_none(stack: Stack) -> None:
    changed = stack.project.replace("test_days: 30", "test_days: 25").replace("hourly: 15", "hourly: 20")
    file = stack.command.write("geändert.yaml", changed)
    told = stack.command("apply", file, "--dry-run", "--json", "-").well().json
    assert told["dry_run"] and len(told["changes"]) == 2
    assert "would change: pipeline" in stack.command("apply", file, "--dry-run").well().out
    assert stack.command("apply", stack.file).well().out.strip() == "nothing to change"


def test_what_is_exported_applies_as_no_change_and_exports_the_same(stack: Stack) -> None:
    text = stack.command("export", MODEL).well().out
    assert "LESER_PASSWORT" in text and "geheim" not in text
    file = stack.command.write("export.yaml", text)
    assert stack.command("apply", file).well().out.strip() == "nothing to change"
    again = stack.command.folder / "again.yaml"
    stack.command("export", MODEL, "-o", str(again)).well()
    assert again.read_text("utf-8") == text


def test_the_endpoint_is_asked_for_a_known_customer(stack: Stack) -> None:
    answer = stack.command("recommend", MODEL, KNOWN, "-k", "10", "--json").well().json
    products = [row["product_id"] for row in answer["recommendations"]]
    assert answer["known"] and answer["customer"] == KNOWN and len(set(products)) == 10
    assert all(len(product) == 8 and product.startswith("000000") for product in products)
    assert answer["recommendations"][0]["name"] == f"Schraube „{products[0]}“"
    assert products[0] in stack.command("recommend", MODEL, KNOWN).well().out


def test_an_unknown_customer_is_answered_and_marked(stack: Stack) -> None:
    answer = stack.command("recommend", MODEL, "3", "-k", "5", "--json").well().json
    assert not answer["known"] and len(answer["recommendations"]) == 5
    assert "is not in the data" in stack.command("recommend", MODEL, "3").well().out


def test_answers_over_http_equal_the_offline_evaluation(stack: Stack) -> None:
    target = stack.command.folder / "proof.json"
    said = stack.command("prove", MODEL, "--json", str(target)).well()
    proof = json.loads(target.read_text("utf-8"))
    assert proof["holds"] and proof["differing"] == [] and proof["live"]["differing"] == []
    assert proof["customers"] == proof["test_customers"] == stack.ran["model_version"]["metrics"]["test_customers"]
    for k in ("recall@10", "recall@100"):
        stored = stack.ran["model_version"]["metrics"]["all"][k]["value"]
        assert abs(proof["recall"][k]["over_http"] - stored) < 1e-9
    assert "Recall@10" in said.out
