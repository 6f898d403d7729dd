"""``b2b-recs prove``: that what customers receive over HTTP is what was measured offline."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import httpx

from b2b_recs.cli.context import (
    error_json,
    json_option,
    model_named,
    organization_named,
    organization_option,
    set_up_django,
    write_json,
)
from b2b_recs.cli.stack import SERVING, needed
from b2b_recs.engine.counting import counted
from b2b_recs.engine.errors import EngineError
from b2b_recs.runtime.home import VARIABLE, Home
from b2b_recs.runtime.logs import tail
from b2b_recs.runtime.ports import free_port
from b2b_recs.runtime.process import end_with_parent

if TYPE_CHECKING:
    from b2b_recs.engine.training.proof import Proof
    from b2b_recs.web.deployments.proof import Subject

MODEL_ID = 1
LIST_LENGTH = 100
LIVE_CUSTOMERS = 50
START_SECONDS = 60.0
ANSWER_SECONDS = 30.0


class NotProven(EngineError):
    """An answer differs from what was measured, or could not be had."""

    code = "not_proven"


@click.command()
@click.argument("model")
@click.option("--customers", type=click.IntRange(1), help="How many test customers; all when not given.")
@json_option
@organization_option
def prove(model: str, customers: int | None, json_file: str | None, organization: str | None) -> None:
    """Show that answers over HTTP equal the offline evaluation of the deployed MODEL.

    The model that was measured is fitted again from the pinned data, served by the real serving process on a free
    port, and asked for every test customer; products and recall must be the ones of the evaluation. The running
    endpoint is asked too: it must answer as the deployed model ranks.
    """
    with needed(SERVING):
        set_up_django("web")
        from b2b_recs.engine.training.proof import compare
        from b2b_recs.web.deployments.proof import live_differences, remake, subject_of
        from b2b_recs.web.tenancy import scope

        owner = organization_named(organization)
        with scope(owner.id):
            subject = subject_of(model_named(model))
        chosen = subject.tested.customers[:customers]
        with tempfile.TemporaryDirectory(prefix="b2b-recs-proof-") as folder:
            home = Home(Path(folder)).create()
            artifact_id = remake(subject, home.artifacts)
            with _served(home, artifact_id) as endpoint:
                lengths = {customer: len(found) for customer, found in zip(chosen, subject.tested.lists, strict=False)}
                received = {customer: endpoint.list_of(customer, length) for customer, length in lengths.items()}
            proof = compare(subject.tested, received)
        live = chosen[:LIVE_CUSTOMERS]
        with scope(owner.id):
            differing = live_differences(subject, live)
    _report(subject, proof, live, differing, json_file)


def _report(subject: Subject, proof: Proof, live: list[str], differing: list[str], json_file: str | None) -> None:
    holds = proof.holds and not differing
    result = {
        "model": {"id": subject.model.id, "name": subject.model.name, "version": f"v{subject.trained.number}"},
        "algorithm": subject.tested.algorithm,
        "holds": holds,
        "customers": proof.customers,
        "test_customers": len(subject.tested.customers),
        "differing": proof.differing,
        "recall": {f"recall@{k}": {"offline": proof.offline[k], "over_http": proof.received[k]} for k in proof.offline},
        "live": {"customers": len(live), "differing": differing},
    }
    problem = NotProven(_words_of_difference(proof, differing), advice="Run the pipeline again and prove it again; "
                        "if it differs again, the log of the serving process tells more.")  # fmt: skip
    write_json(json_file, result if holds else {**result, "error": error_json(problem)})
    if json_file != "-":
        click.echo(f"v{subject.trained.number} {subject.tested.algorithm}, {proof.customers:,} of "
                   f"{len(subject.tested.customers):,} test customers")  # fmt: skip
        click.echo(f"lists over HTTP equal to the offline ones: {proof.customers - len(proof.differing):,}")
        for k, offline in proof.offline.items():
            click.echo(f"Recall@{k}: {offline:.6f} offline, {proof.received[k]:.6f} over HTTP")
        click.echo(f"running endpoint: {len(live) - len(differing)} of {len(live)} answers as the deployed model ranks")
    if not holds:
        raise problem


def _words_of_difference(proof: Proof, differing: list[str]) -> str:
    if proof.differing:
        return (
            counted(len(proof.differing), "list over HTTP differs", "lists over HTTP differ")
            + f" from the offline ones, first {proof.differing[0]}."
        )
    if differing:
        return f"The running endpoint answers {counted(len(differing), 'customer')} differently, first {differing[0]}."
    return "The recall over HTTP differs from the offline one."


@dataclass(frozen=True)
class _Endpoint:
    client: httpx.Client

    def list_of(self, customer: str, length: int) -> list[str]:
        """The product ids, best first; popular products that fill up the end after ``length`` are left out."""
        body = {"customer_id": customer, "k": LIST_LENGTH}
        try:
            answer = self.client.post("/recommend", json=body)
        except httpx.HTTPError as error:
            raise NotProven("The serving process of the proof stopped answering.", advice="Try again.") from error
        if answer.status_code != 200:
            raise NotProven(f"Customer {customer} was answered with status {answer.status_code}: {answer.text[:200]}")
        document: dict[str, Any] = answer.json()
        rows = enumerate(document["recommendations"])
        return [row["product_id"] for place, row in rows if place < length or row["list"] != "popular"]


@contextmanager
def _served(home: Home, artifact_id: str) -> Iterator[_Endpoint]:
    """A serving process of its own over one artifact, on a free port, gone afterwards."""
    key = f"b2br_0_proof_{secrets.token_hex(16)}"
    pointer = {
        "model_id": MODEL_ID,
        "model_name": "proof",
        "version": "proof",
        "artifact_id": artifact_id,
        "keys": [{"prefix": "proof", "sha256": hashlib.sha256(key.encode()).hexdigest()}],
        "status": "active",
    }
    home.deployment_pointer(MODEL_ID).write_text(json.dumps(pointer))
    port, log = free_port(), home.logs / "serving.log"
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "b2b_recs.cli.main", "serve", "--port", str(port)],
            env={**os.environ, VARIABLE: str(home.root)}, stdin=subprocess.DEVNULL, stdout=sink,
            stderr=subprocess.STDOUT, process_group=0, preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )  # fmt: skip
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {key}"},
        timeout=ANSWER_SECONDS,
        trust_env=False,
    )
    try:
        with client:
            _await(client, child, log)
            yield _Endpoint(client)
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _await(client: httpx.Client, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and child.poll() is None:
        try:
            if client.get("/health").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    words = " ".join(tail(log))
    raise NotProven(f"The serving process of the proof did not start. {words}".strip(), advice="Try again.")
