"""What a model in service was trained on stays readable: the versions of its tables do not expire meanwhile."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from b2b_recs.engine.datasets.spec import RAW
from b2b_recs.engine.errors import EngineError
from b2b_recs.engine.warehouse.local import LocalTable, LocalWarehouse
from b2b_recs.engine.warehouse.versions import pin, unpin
from b2b_recs.runtime.home import Home
from b2b_recs.web.deployments.models import Deployment

_OURS = re.compile(r"deployment-(\d+)")
log = logging.getLogger(__name__)


def keep_versions(deployments: Iterable[Deployment]) -> None:
    """Pin the table versions behind each of these active deployments, and let go those of the model's earlier ones.

    A version that has expired already, or a disk that is full, is no reason to undo a deployment: it is noted, and the
    next sweep tries again.
    """
    home = Home.current()
    for deployment in deployments:
        version = deployment.trained_model.dataset_version
        wanted: dict[str, int] = version.table_versions if version is not None else {}
        for table in LocalWarehouse(home.model_warehouse(deployment.model_id)).tables(RAW):
            _keep(table, deployment.id, wanted.get(table.name))


def _keep(table: LocalTable, deployment_id: int, version: int | None) -> None:
    name = f"deployment-{deployment_id}"
    folder = table.pins_folder
    try:
        if version is not None and not (folder / name).exists():
            pin(table, name, version)
        # Only now: until here the same version may have been kept by the earlier deployment alone.
        for path in folder.iterdir() if folder.is_dir() else ():
            if _OURS.fullmatch(path.name) and path.name != name:
                unpin(table, path.name)
    except (EngineError, OSError):
        log.warning(
            "version %s of %s could not be kept for deployment %s", version, table, deployment_id, exc_info=True
        )
