"""Asking the source of a job whether the job could run now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import BaseModel, Field

from b2b_recs.engine.errors import BadInput, EngineError, SourceRefused
from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.engine.sources.contract import Source, SourceType
from b2b_recs.web.api.schemas import ErrorDetail
from b2b_recs.web.connections.schemas import describe_error
from b2b_recs.web.connections.testing import ask
from b2b_recs.web.etl.checks import check_against


class JobTest(BaseModel):
    """Whether a job could run now."""

    status: Literal["passed", "failed", "unknown"] = Field(description="unknown: we could not ask the source.")
    columns: int | None = Field(description="How many columns the table has, when the source told.")
    error: ErrorDetail | None


def question_of(declared: SourceType, spec: CopySpec) -> Callable[[Source], int]:
    """What to ask: how many columns the job's table has, after checking that the job fits them."""

    def question(source: Source) -> int:
        columns = source.columns(spec.source_schema, spec.source_table)
        check_against(declared, spec, columns)
        return len(columns)

    return question


def test_of(open_source: Callable[[], Source], declared: SourceType, spec: CopySpec) -> JobTest:
    """How the test of a job went."""
    try:
        found = ask(open_source, question_of(declared, spec))
    except (SourceRefused, BadInput) as refusal:
        return JobTest(status="failed", columns=None, error=describe_error(refusal))
    except EngineError as trouble:
        return JobTest(status="unknown", columns=None, error=describe_error(trouble))
    return JobTest(status="passed", columns=found, error=None)
