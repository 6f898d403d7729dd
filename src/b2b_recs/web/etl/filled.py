"""Which warehouse table a run fills: its job may have been given another one since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b2b_recs.engine.etl.runner import FILLED, filled
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.web.etl.models import ETLRun


def note_filled(run: ETLRun, spec: CopySpec) -> None:
    """Keep with a run which table it fills, so that one that fails tells it too. Call inside the scope."""
    run.results = {**run.results, FILLED: filled(spec)}
    run.save(update_fields=["results"])


def filled_by(run: ETLRun, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of a run, as a copy names it; of one that has noted none that of its job, whose copy is ``spec``."""
    found = run.results.get(FILLED)
    return found if isinstance(found, Mapping) else spec
