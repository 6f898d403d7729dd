"""Carries out one run of a platform elsewhere, without its database: fetched, copied and reported over HTTP."""

from __future__ import annotations

import ipaddress
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from b2b_recs.engine.errors import BadInput, EngineError, Fenced
from b2b_recs.engine.etl.runner import run_copy
from b2b_recs.engine.sources.contract import Dialer
from b2b_recs.runtime.endings import ending_of
from b2b_recs.runtime.environment import envtext
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.runtime.platform_client import PlatformAway, PlatformClient
from b2b_recs.runtime.recording import TRY_AGAIN, Recorder
from b2b_recs.runtime.run_documents import TOKEN_VARIABLE, Assignment, GuardRules
from b2b_recs.runtime.warehouse_mark import mounted_warehouse

STAGING = ".staging"
DONE = 0
log = logging.getLogger(__name__)


def execute(url: str) -> int:
    """Carry out the run at ``url``; the exit code of the process. Raises BadInput when it cannot even begin."""
    token = envtext(TOKEN_VARIABLE)
    if not token:
        raise BadInput(f"{TOKEN_VARIABLE} is not set.", advice="The platform hands it out together with the run URL.")
    with PlatformClient(url, token) as platform:
        try:
            return carry_out(platform)
        except Fenced as fenced:
            log.warning("%s", fenced)
            return DONE
        except PlatformAway as away:
            log.error("The platform does not answer: %s", away)
            return TRY_AGAIN


def carry_out(platform: PlatformClient) -> int:
    """Fetch, copy, report; the exit code of the process. Raises Fenced, BadInput, PlatformAway."""
    try:
        assignment = platform.assignment()
    except EngineError as refusal:
        if isinstance(refusal, Fenced):
            raise
        platform.end(_refused(refusal))
        return DONE
    recorder = Recorder(platform, assignment.stages)
    with recorder:
        ending = ending_of(recorder, lambda: _copy(assignment, platform, recorder), (PlatformAway,))
    return TRY_AGAIN if platform.end(ending) else DONE


def _copy(assignment: Assignment, platform: PlatformClient, recorder: Recorder) -> dict[str, Any]:
    task, root = assignment.task, mounted_warehouse(assignment.warehouse)
    return run_copy(
        task,
        platform,
        recorder,
        guard_of(assignment.guard, task.organization_id),
        root / f"model-{task.model_id}",
        _staging(root, task.job_id),
        lambda: datetime.now(UTC),
    )


def _staging(root: Path, job_id: int) -> Path:
    """Beside the tables, so that a runner on another machine can go on where this one was interrupted."""
    return root / STAGING / f"etl-{job_id}"


def guard_of(rules: GuardRules, organization_id: int) -> Dialer:
    """The guard of a runner: as strict as the platform's and as its own environment, whichever is stricter."""
    here = OutgoingGuard.from_environment(own=rules.own)
    guard = OutgoingGuard(
        enabled=here.enabled or rules.enabled,
        allowed=[ipaddress.ip_network(network) for network in rules.allowed],
        own=rules.own,
        folders=here.folders,
        apart=here.apart or rules.apart,
    )
    return guard.for_organization(organization_id)


def _refused(refusal: EngineError) -> dict[str, Any]:
    return {"status": "failed", "error_code": refusal.code, "error": refusal.message, "advice": refusal.advice}
