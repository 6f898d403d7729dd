"""``b2b-recs demo``: the whole path on a real wholesaler's orders, then left running to look at."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from b2b_recs.cli.access import fresh_key, new_link
from b2b_recs.cli.context import json_option, set_up_django, write_json
from b2b_recs.cli.demo_shop import show_shop
from b2b_recs.cli.run import INTERRUPTED, RunFailed, wait_for
from b2b_recs.cli.up import note_first_start, prepare
from b2b_recs.runtime.environment import envport
from b2b_recs.runtime.keys import load_keys
from b2b_recs.runtime.ports import held_by, hold_next
from b2b_recs.runtime.program import program
from b2b_recs.runtime.sample_source import DATABASE, load, sample_file
from b2b_recs.runtime.supervisor import Stopped, Supervisor

CUSTOMER = "14911"
KEY_NAME = "demo"
LINK_MINUTES = 24 * 60


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop everything when it is done, instead of staying.")
@json_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the pages (B2B_RECS_PORT, 8000).")
@click.option("--serving-port", type=click.IntRange(1, 65535), help="Port of the endpoint (8001).")
@click.option("--show-shop", "shop", is_flag=True, help="Print how to connect the running demo's shop yourself.")
def demo(leave: bool, json_file: str | None, port: int | None, serving_port: int | None, shop: bool) -> None:
    """Show the whole path on real data: a wholesaler's shop database becomes a recommender that answers.

    Loads a sample shop (Online Retail), applies its project file, copies, trains, evaluates and deploys. Ctrl-C stops
    everything; the next start goes on in seconds. Where 8000 or 8001 is taken and no other port was named, the next
    free one is used.
    """
    began = time.perf_counter()
    if shop:
        show_shop(json_file)
        return
    serving_port = serving_port or _port("B2B_RECS_SERVING_PORT", 8001, besides=port or 8000)
    port = port or _port("B2B_RECS_PORT", 8000, besides=serving_port)
    supervisor, _ = prepare(port=port, serving_port=serving_port, with_demo=True)
    supervisor.steps.append(("sample shop: 541,909 order lines of Online Retail", lambda: _load(supervisor)))
    if json_file == "-":
        supervisor.say = lambda line: click.echo(line, err=True)
    supervisor.install_signal_handlers()
    with supervisor:
        try:
            supervisor.start()
            threading.Thread(target=supervisor.watch, name="supervisor", daemon=True).start()
            result = _show(supervisor, began, plain=json_file == "-")
        except Stopped:
            click.echo("Stopped before it was done; the next start goes on where it was.", err=True)
            sys.exit(INTERRUPTED)
        write_json(json_file, result)
        if not leave:
            click.echo("Everything stays running until Ctrl-C.", err=json_file == "-")
            supervisor.stopping.wait()
            click.echo("Stopping", err=json_file == "-")
    click.echo("Stopped.", err=json_file == "-")


def _port(variable: str, default: int, besides: int = 0) -> int:
    """The port that is set, else the first free one from the default on, held from now on."""
    if os.environ.get(variable, "").strip():
        return envport(variable, default)
    port = hold_next(default, besides=(besides,))
    if port != default:
        click.echo(f"Port {default} is taken by {held_by(default)}; this demo uses {port}.", err=True)
    return port


def _load(supervisor: Supervisor) -> None:
    """The sample shop, and its address for the project file."""
    keys = load_keys(supervisor.home)
    server = supervisor.databases["demo database"]
    load(server.url("postgres"), server.url(DATABASE), keys.passwords["demo_reader"])
    os.environ["SHOP_PORT"], os.environ["SHOP_PASSWORD"] = str(server.port), keys.passwords["demo_reader"]


def _show(supervisor: Supervisor, began: float, plain: bool) -> dict[str, Any]:
    set_up_django("web")
    from b2b_recs.project_file.apply import apply_project
    from b2b_recs.project_file.reading import read_project
    from b2b_recs.web.accounts.bootstrap import ensure_owner
    from b2b_recs.web.deployments.services import active_deployment, ask
    from b2b_recs.web.tenancy import scope
    from b2b_recs.web.training.services import start_pipeline
    from b2b_recs.web.training.summary import summarise

    user, organization, _ = ensure_owner()
    applied = apply_project(organization.id, read_project(sample_file().with_name("project.yaml")), user)
    with scope(organization.id):
        deployed = active_deployment(applied.model)
        known = deployed.trained_model.pipeline_run if deployed else None
        started = known or start_pipeline(applied.model, user, trigger="command")
    if known is None and not plain:
        click.echo(
            "\nThe pages answer. Sign in to watch (once, within a day):\n"
            f"  {new_link(minutes=LINK_MINUTES)}\n"
            "Tables are still being copied and models trained; another link follows when that is done.\n"
        )
        note_first_start(supervisor.home)
    run = wait_for(organization.id, started.id, supervisor.stopping.is_set) if known is None else started
    if supervisor.stopping.is_set():
        raise Stopped
    with scope(organization.id):
        summary = summarise(run)
        if summary["deployment"]["serving"] is None:
            raise RunFailed(run.error or "The gate did not let the model into service.", advice=run.advice)
        answer = ask(applied.model, CUSTOMER, 5)
    seconds = time.perf_counter() - began
    result = {
        **summary,
        "demo": {
            "seconds_to_first_recommendation": round(seconds, 1),
            "resumed": known is not None,
            "first_recommendation": answer,
        },
    }
    if not plain:
        _print(result, new_link(minutes=LINK_MINUTES), fresh_key(organization.id, applied.model.name, KEY_NAME))
        note_first_start(supervisor.home)
    return result


def _print(result: dict[str, Any], link: str, key: str) -> None:
    console = Console(width=None if Console().is_terminal else 140)
    console.print(_copies(result))
    console.print(_algorithms(result))
    for line in _explained(result):
        console.print(line, highlight=False, markup=False)
    demo = result["demo"]
    version = result["deployment"]["serving"]["version"]
    console.print(f"{version} answers {demo['seconds_to_first_recommendation']:.0f} s after the start"
                  f"{' (resumed)' if demo['resumed'] else ''}.\n")  # fmt: skip
    body = json.dumps({"customer_id": CUSTOMER, "k": 5})
    # plain prints: lines to paste must not be wrapped
    click.echo(f"Sign in (once, within a day):\n  {link}\n")
    click.echo(
        "Ask for recommendations:\n"
        f"  curl -s {result['deployment']['serving']['recommend']} -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'\n"
    )
    click.echo(
        "Connect the shop yourself, in the wizard or over HTTP (prints what to type):\n"
        f"  {program()} demo --show-shop\n"
    )


def _copies(result: dict[str, Any]) -> Table:
    table = Table("table", title="Copied from the shop", title_justify="left", box=None, header_style="bold")
    for name in ("rows", "rejected", "reconciled", "seconds"):
        table.add_column(name, justify="right")
    for job in result["jobs"]:
        mark = "=" if job["reconciled"] else "≠"
        counts = (
            f"{job['source_count']:,} {mark} {job['warehouse_count']:,}" if job["source_count"] is not None else "–"
        )
        table.add_row(
            job["destination"], f"{job['rows_loaded']:,}", f"{job['rows_rejected']:,}", counts, f"{job['seconds']:.1f}"
        )
    return table


def _algorithms(result: dict[str, Any]) -> Table:
    title = f"Measured on {_customers(result)} customers' later orders (1 is perfect; ± is the 95 % interval)"
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    table.add_column("algorithm", no_wrap=True)
    for name in ("NDCG@10", "Recall@10", "Recall@100", "new: NDCG@10", "seconds"):
        table.add_column(name, justify="right")
    ranked = sorted(result["algorithms"], key=lambda one: -(_value(one, "all", "ndcg@10") or 0.0))
    for one in ranked:
        table.add_row(
            f"{'→' if one['chosen'] else ' '} {one['title']}",
            _figure(one, "all", "ndcg@10"),
            _figure(one, "all", "recall@10"),
            _figure(one, "all", "recall@100"),
            _figure(one, "new", "ndcg@10"),
            f"{one['seconds'] or 0:.1f}",
        )
    return table


def _explained(result: dict[str, Any]) -> list[str]:
    """What the figures leave open: which lines were learnt from, what new means, why the model went into service."""
    lines = ["“new” counts only products the customer had never bought before."]
    dataset = result["dataset"]
    if dataset:
        left_out = [
            f"{step['rows_before'] - step['rows_after']:,} unless {step['name']}"
            for step in dataset["steps"]
            if step["rows_before"] > step["rows_after"]
        ]
        lines.append(
            f"Learnt from {dataset['rows']:,} of {dataset['quality']['rows_read']:,} order lines. "
            f"Left out by the dataset's filters: {'; '.join(left_out)}."
        )
    gate = result["deployment"]["gate"]
    if gate:
        lines.append(f"The gate: {' '.join(gate['reasons'])}")
    return lines


def _customers(result: dict[str, Any]) -> str:
    return f"{result['model_version']['metrics'].get('test_customers', 0):,}"


def _value(one: dict[str, Any], segment: str, metric: str) -> float | None:
    value: float | None = one["metrics"].get(segment, {}).get(metric, {}).get("value")
    return value


def _figure(one: dict[str, Any], segment: str, metric: str) -> str:
    figure = one["metrics"].get(segment, {}).get(metric, {})
    if figure.get("value") is None:
        return "–"
    if figure.get("low") is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ±{(figure['high'] - figure['low']) / 2:.3f}"
