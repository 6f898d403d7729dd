"""What goes wrong is told in words with advice, with its code in the JSON, and with exit code 1 (2 for usage)."""

from __future__ import annotations

import re
import signal
import socket
import time
from typing import Any

import pytest
from command_line import Installation, Said, Stack
from wholesale_shop import KNOWN, Shop

pytestmark = pytest.mark.xdist_group("cli")  # one stack, one process
MODEL = "Großhandel"
CONNECTION = (
    "{{type: postgresql, host: {host}, port: {port}, database: {database}, username: leser, "
    "password: {{env: {password}}}}}"
)
JOB = "{{connection: {connection}, table: public.{table}, load: {load}, destination: bq_{destination}}}"
FAULTS = {
    "wrong password": ({"password": "WRONG"}, {}, "authentication_refused"),
    "unknown host": ({"host": "nowhere.invalid"}, {}, "host_unknown"),
    "refused port": ({"port": "1"}, {}, "connection_refused"),
    "missing database": ({"database": "nowhere"}, {}, "database_missing"),
    "missing table": ({}, {"table": "nowhere"}, "table_missing"),
    "missing permission": ({}, {"table": "gesperrt"}, "permission_missing"),
    "missing column": ({}, {"load": "{transactional: {cursor: nowhere, key: [auftragsnummer]}}"}, "column_missing"),
}


@pytest.fixture(scope="module")
def faults(stack: Stack, shop: Shop) -> tuple[Said, dict[str, Any]]:
    """One run with a job for every fault, and the jobs in its JSON by name."""
    lines = ["version: 1", "model: {name: Faults}", "connections:"]
    for name, (connection, _, _) in FAULTS.items():
        one = {"host": "127.0.0.1", "port": shop.port, "database": "warenwirtschaft", "password": "LESER_PASSWORT"}
        lines.append(f"  {name}: {CONNECTION.format(**one | connection)}")
    lines.append("jobs:")
    for number, (name, (_, job, _)) in enumerate(FAULTS.items()):
        one = {"connection": name, "table": "artikel", "load": "catalog", "destination": f"t{number}"}
        lines.append(f"  {name}: {JOB.format(**one | job)}")
    lines += [
        "datasets:",
        "  all: {base: bq_t0, roles: {customer: a, product: b, time: c}}",
        "pipeline: {dataset: all}",
    ]
    file = stack.command.write("faults.yaml", "\n".join(lines) + "\n")
    stack.command("apply", file, WRONG="wrong").well()
    said = stack.command("run", "faults", "--wait", "--json", "-").refused()
    return said, said.json


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_that_refuses_is_told_with_code_and_advice(faults: tuple[Said, dict[str, Any]], fault: str) -> None:
    job = next(job for job in faults[1]["jobs"] if job["name"] == fault)
    assert (job["status"], job["error_code"]) == ("failed", FAULTS[fault][2]), job["error"]
    assert job["error"].strip() and job["advice"].strip()


def test_a_run_that_failed_is_told_on_standard_error_and_in_the_json(faults: tuple[Said, dict[str, Any]]) -> None:
    said, document = faults
    assert document["error"]["code"] == document["pipeline_run"]["error_code"] == "authentication_refused"
    assert "7 of 7 jobs did not finish" in said.err and document["error"]["advice"] in said.err
    assert "INFO" not in said.err


def lines_of(base: str, shop: Shop, name: str, more: str = "", days: int = 30) -> str:
    """A project whose dataset is one table of the shop with the customer in it."""
    connection = CONNECTION.format(
        host="127.0.0.1", port=shop.port, database="warenwirtschaft", password="LESER_PASSWORT"
    )
    return f"""\
version: 1
model: {{name: {name}}}
connections: {{w: {connection}}}
jobs: {{lines: {{connection: w, table: public.{base}, load: catalog, destination: bq_lines}}}}
datasets:
  all:
    base: bq_lines
    roles: {{customer: kundennummer, product: artikelnummer, time: erfasst_am, revenue: betrag}}{more}
pipeline: {{dataset: all, algorithms: [popular], split: {{test_days: {days}}}}}
"""


def test_data_that_nothing_can_be_learnt_from_is_told_and_the_smallest_is_learnt(stack: Stack, shop: Shop) -> None:
    projects = {
        "empty": lines_of("leer", shop, "empty"),
        "one customer": lines_of("ein_kunde", shop, "one customer"),
        "one product": lines_of("ein_artikel", shop, "one product"),
        "no test customers": lines_of("ein_kunde", shop, "no test customers", days=3650),
        "unknown column": lines_of("ein_kunde", shop, "unknown column").replace("betrag", "umsatz"),
    }
    said: dict[str, Said] = {}
    for text in projects.values():
        stack.command("apply", stack.command.write("small.yaml", text)).well()
    started = {name: stack.command.start("run", name, "--wait", "--json", "-") for name in projects}
    for name, process in started.items():
        said[name] = stack.command.end(process)
    for name, code in (
        ("empty", "empty_dataset"),
        ("no test customers", "bad_input"),
        ("unknown column", "bad_input"),
    ):
        error = said[name].refused().json["error"]
        assert (error["code"], bool(error["advice"])) == (code, True), (name, error)
    for name in ("one customer", "one product"):
        document = said[name].well().json
        assert document["pipeline_run"]["status"] == "completed" and document["algorithms"], document


def test_what_is_not_known_is_told_with_what_is(stack: Stack) -> None:
    said = stack.command("recommend", "Einzelhandel", KNOWN, "--json").refused()
    assert said.json["error"] | {"message": ""} == {
        "code": "bad_input", "field": "model", "advice": said.json["error"]["advice"], "message": "",
    }  # fmt: skip
    assert MODEL in said.json["error"]["advice"] and MODEL in said.err
    said = stack.command("export", MODEL, "--organization", "nobody").refused()
    assert "nobody" in said.err and "Known" in said.err


@pytest.mark.parametrize("count", ["0", "100000"])
def test_a_count_out_of_range_is_refused(stack: Stack, count: str) -> None:
    error = stack.command("recommend", MODEL, KNOWN, "-k", count, "--json").refused().json["error"]
    assert (error["code"], error["field"]) == ("bad_input", "k") and "1 to" in error["advice"]


def test_a_file_that_cannot_be_written_is_told(stack: Stack) -> None:
    said = stack.command("export", MODEL, "-o", "nowhere/out.yaml").refused()
    assert "nowhere/out.yaml cannot be written" in said.err


def test_a_second_start_on_the_same_home_is_refused(stack: Stack) -> None:
    said = stack.command("up").refused()
    assert "already runs" in said.err and "B2B_RECS_HOME" in said.err


def test_ctrl_c_leaves_the_run_going_and_says_so(stack: Stack) -> None:
    process = stack.command.start("run", MODEL, "--wait")
    assert process.stderr is not None
    first = process.stderr.readline()  # a job is done, so the run is under way
    process.send_signal(signal.SIGINT)
    said = stack.command.end(process)
    assert (said.code, "Traceback" in said.err) == (130, False), first + said.err
    told = re.search(r"Run (\d+) goes on", said.err)
    assert told is not None, said.err
    # that run is joined, or had ended already and the next one is begun
    ended = stack.command("run", MODEL, "--wait", "--json", "-").well().json["pipeline_run"]
    assert ended["id"] - int(told[1]) in (0, 1) and ended["status"] == "completed"
    log = (stack.command.home.logs / "worker.log").read_text("utf-8")
    assert re.search(rf"execute_pipeline_run\[\d+\]\(.*run_id={told[1]}\b.*Success", log)


def test_a_broken_project_file_is_refused_with_line_and_field(installation: Installation, shop: Shop) -> None:
    text = shop.project(**{"key: [auftragsnummer, position]": "key: 7"}).replace("base: bq_positionen", "base: 1")
    said = installation("apply", installation.write("broken.yaml", text), "--json", "-").refused()
    error = said.json["error"]
    fields = {(one["line"], one["field"]) for one in error["problems"]}
    assert error["code"] == "bad_project_file" and "broken.yaml, line 15" in said.err
    assert (15, "jobs.positionen.load.transactional.key") in fields and any("base" in field for _, field in fields)


def test_a_variable_that_is_not_set_is_named_before_anything_starts(installation: Installation, shop: Shop) -> None:
    text = shop.project(LESER_PASSWORT="NOT_SET_ANYWHERE")
    said = installation("apply", installation.write("unset.yaml", text), "--json", "-").refused()
    assert said.json["error"]["code"] == "bad_project_file"
    assert "NOT_SET_ANYWHERE is not set" in said.err and "line 10" in said.err and "starting" not in said.err


@pytest.mark.parametrize(
    "words", [("recommend",), ("run",), ("nothing",), ("recommend", "m", "c", "-k", "many"), ("up", "--port", "70000")]
)
def test_wrong_usage_ends_with_two(installation: Installation, words: tuple[str, ...]) -> None:
    assert "Usage: b2b-recs" in installation(*words).refused(2).err


def test_a_taken_port_is_told_with_its_variable(installation: Installation) -> None:
    other = Installation(installation.folder / "other")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", other.port))
        holder.listen()
        began = time.monotonic()
        said = other("up").refused()
        assert time.monotonic() - began < 60
    assert str(other.port) in said.err and "B2B_RECS_PORT" in said.err
