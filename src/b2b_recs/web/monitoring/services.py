"""Brings what serving counted into the hourly numbers of every model, and when each key last asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from b2b_recs.engine.serving.traffic import Window, forget_traffic, read_traffic
from b2b_recs.web.accounts.api_keys import note_use
from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.deployments.models import Deployment
from b2b_recs.web.monitoring.models import PredictionLog
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope, unscoped

LEFT_BEHIND = timedelta(hours=1)  # a process silent for so long has ended without saying so


def collect(folder: Path) -> None:
    """Set every hour's row to what the serving processes counted, and every key to the last time it asked.

    Reading a file twice counts nothing twice.
    """
    windows: dict[int, list[Window]] = defaultdict(list)
    uses: dict[str, datetime] = {}
    ended = []
    now = datetime.now(UTC)
    for file in read_traffic(folder):
        for window in file.windows:
            windows[window.model_id].append(window)
        for prefix, at in file.keys.items():
            uses[prefix] = max(at, uses.get(prefix, at))
        if file.closed or now - file.updated_at > LEFT_BEHIND:
            ended.append(file.process)
    organizations = unscoped(ModelEndpoint).filter(id__in=windows).values_list("id", "organization_id")
    for model_id, organization_id in organizations:
        with scope(organization_id):
            _store(organization_id, model_id, windows[model_id])
    _note_uses(uses)
    for process in ended:
        forget_traffic(folder, process)


def _note_uses(uses: Mapping[str, datetime]) -> None:
    """Note when keys, by their prefix, last asked a model."""
    found = unscoped(ApiKey).filter(prefix__in=uses).values_list("id", "organization_id", "prefix", "last_used_at")
    for key_id, organization_id, prefix, noted in list(found):
        if noted is None or noted < uses[prefix]:
            with scope(organization_id):
                note_use(key_id, uses[prefix])


def _store(organization_id: int, model_id: int, windows: Iterable[Window]) -> None:
    known = set(Deployment.objects.filter(model_id=model_id).values_list("id", flat=True))
    for window in windows:
        deployment_id = window.deployment_id if window.deployment_id in known else None
        row, _ = PredictionLog.objects.select_for_update().get_or_create(
            model_id=model_id,
            deployment_id=deployment_id,
            window_start=window.start,
            defaults={"organization_id": organization_id, "window_end": window.end},
        )
        processes = dict(row.latency.get("processes", {}))
        counted = _counted(window)
        part = f"{window.process} {window.deployment_id} {window.version}"
        if processes.get(part, {}).get("requests", -1) >= counted["requests"]:
            continue  # counts only grow: another worker has stored this reading or a later one
        processes[part] = counted
        _total(row, processes)
        row.save()


def _counted(window: Window) -> dict[str, Any]:
    return {
        "requests": window.requests,
        "predictions": window.predictions,
        "unknown_customers": window.unknown_customers,
        "refused": window.refused,
        "errors": window.errors,
        "latency_ms_sum": window.latency_ms_sum,
        "counts": window.latencies,
    }


def _total(row: PredictionLog, processes: dict[str, dict[str, Any]]) -> None:
    """The row is the sum of its processes; each process's own count is kept so that it can be replaced."""
    parts = list(processes.values())
    row.requests = sum(part["requests"] for part in parts)
    row.predictions = sum(part["predictions"] for part in parts)
    row.errors = sum(part["errors"] for part in parts)
    total_ms = sum(part["latency_ms_sum"] for part in parts)
    row.mean_latency_ms = total_ms / row.requests if row.requests else None
    row.latency = {
        "processes": processes,
        "counts": [sum(bins) for bins in zip(*(part["counts"] for part in parts), strict=True)],
        "refused": sum(part["refused"] for part in parts),
        "unknown_customers": sum(part["unknown_customers"] for part in parts),
    }
