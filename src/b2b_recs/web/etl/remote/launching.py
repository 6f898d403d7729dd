"""Sends a run to a runner elsewhere by the operator's command, waits for it, and sees that the run has an end."""

from __future__ import annotations

import os
import shlex

from django.conf import settings
from django.db import connection
from django.urls import reverse

from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.child import ChildEnd, run_in_child
from b2b_recs.runtime.environment import envlist, envtext
from b2b_recs.runtime.recording import TRY_AGAIN, shutting_down
from b2b_recs.runtime.run_documents import TOKEN_VARIABLE, URL_VARIABLE
from b2b_recs.web.etl.endings import after_etl
from b2b_recs.web.etl.models import ETLRun
from b2b_recs.web.etl.remote.tokens import make_token
from b2b_recs.web.runs.attempts import DONE, Attempt, claim, end_attempt, fail_from_outside, interrupt
from b2b_recs.web.runs.outage import patiently
from b2b_recs.web.tenancy import scope

COMMAND_VARIABLE = "B2B_RECS_RUNNER_COMMAND"
PASSED_VARIABLE = "B2B_RECS_RUNNER_ENVIRONMENT"
# What a program needs to start and to reach other machines; nothing of it opens the platform's database or keys.
PASSED = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


def runner_command() -> str:
    """The command that starts a runner elsewhere; empty when runs are carried out here."""
    return envtext(COMMAND_VARIABLE)


def runner_environment() -> dict[str, str]:
    """What the command finds in its environment besides the run: the usual variables and those the operator names."""
    names = {*PASSED, *envlist(PASSED_VARIABLE)}
    return {name: value for name, value in os.environ.items() if name in names}


def launch(organization_id: int, run_id: int, command: str) -> int:
    """Take the next attempt at a run and let a runner carry it out; the exit code for the worker."""
    attempt = patiently(lambda: claim(ETLRun, organization_id, run_id, after_etl))
    if attempt is None:
        return DONE
    token = make_token(organization_id, run_id, attempt.number)
    connection.close()  # the runner takes long
    try:
        end = run_in_child(
            shlex.split(command),
            env=runner_environment() | {URL_VARIABLE: run_url(run_id), TOKEN_VARIABLE: token},
            should_stop=shutting_down.is_set,
        )
    except (OSError, ValueError) as trouble:
        refusal = BadInput(
            f"The runner could not be started: {trouble}.", advice=f"The operator mends {COMMAND_VARIABLE}."
        )
        ending = {"status": "failed", "error_code": refusal.code, "error": refusal.message, "advice": refusal.advice}
        patiently(lambda: end_attempt(ETLRun, attempt, ending, after_etl))
        return DONE
    return patiently(lambda: _after(attempt, end))


def run_url(run_id: int) -> str:
    """Where a runner asks about that run."""
    return f"{settings.WEB_URL}{reverse('runner_assignment', args=[run_id])}"


def _after(attempt: Attempt, end: ChildEnd) -> int:
    """The exit code once the runner's process is gone, whether it had the last word or not."""
    identity = (ETLRun, attempt.organization_id, attempt.run_id)
    with scope(attempt.organization_id):
        run = ETLRun.objects.get(id=attempt.run_id)
    if run.is_over or run.attempt != attempt.number:
        return DONE
    if run.next_attempt_at is not None:
        return TRY_AGAIN
    if end.stopped or run.attempts[-1]["outcome"] == "interrupted":
        interrupt(*identity, attempt.number)
        return TRY_AGAIN
    how = f"by {end.killed_by}" if end.killed_by else f"with exit code {end.code}"
    again = fail_from_outside(*identity, f"The runner ended without a last word, {how}.", after_etl)
    return DONE if again is None else TRY_AGAIN
