"""What the operations of the JSON API share: identifiers, names, refusals, pages of a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from ninja import Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from b2b_recs.web.names import LONGEST_NAME, is_plain

LARGEST_ID = 2**63 - 1
MOST_A_PAGE = 200


def _clean(value: str) -> str:
    if not is_plain(value):
        raise ValueError("a name has a sign that can be seen, no spaces around it and no control characters")
    return value


Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]
BodyId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_clean)]
PageNumber = Annotated[int, Query(1, ge=1, le=1_000_000, description="Which page, from 1.")]
PerPage = Annotated[int, Query(50, ge=1, le=MOST_A_PAGE, description="How many on a page.")]
Search = Annotated[str, Query("", max_length=100, description="Only those whose name contains this.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description=(
            "Any text of yours that is unique to this request. Sent again within 24 hours with the same body, the "
            "request is answered as before and nothing is done twice."
        ),
    ),
]


class Given(BaseModel):
    """A part of a request: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(BaseModel):
    """One of several things that are wrong with a request."""

    message: str = Field(description="What is wrong.")
    advice: str = Field(description="What to do about it.")
    field: str | None = Field(description="What to change.")


class ErrorDetail(BaseModel):
    """What went wrong, to what, and what to do."""

    code: str = Field(description="A word for programs, such as authentication_refused.")
    message: str = Field(description="What happened.")
    advice: str = Field(description="What to do about it.")
    field: str | None = Field(
        description="What to change: a part of the body, or a setting of the connection such as host."
    )
    faults: list[Fault] = Field(
        default=[], description="Everything that is wrong, the one above first; left out when that is all."
    )


class Refusal(BaseModel):
    """The shape of every refusal."""

    error: ErrorDetail


class PageOf(BaseModel):
    """Where in a list this page is."""

    page: int
    per_page: int
    total: int = Field(description="How many there are on all pages.")


REFUSALS = {
    400: "The body is not JSON.",
    401: "No key, a wrong key, or not signed in.",
    403: "The key or the role does not allow it.",
    404: "Not there, or of another organization.",
    405: "Another method is needed.",
    409: "Cannot be done as things are: a name is taken, something is in use, a draft is not finished.",
    413: "The body is larger than 1 MB.",
    415: "The body is not declared as JSON.",
    422: "A value cannot be used, or the source refused; `field` names what to change.",
    429: "Too many tests of connections, or looks at sources; `Retry-After` says when to go on.",
    503: "We could not carry out the test; it says nothing about the source.",
}
ALWAYS = (401, 403, 404, 405, 422)


def answers(status: int, kind: Any, *more: int) -> dict[int, Any]:
    """The ``response`` of an operation: what it answers when all is well, and every refusal it can give."""
    return {status: kind, **dict.fromkeys(sorted({*ALWAYS, *more}), Refusal)}


TAKES_JSON = (400, 413, 415)


def page_of(rows: QuerySet[Any], page: int, per_page: int, show: Callable[[Any], Any]) -> dict[str, Any]:
    """One page of rows as fields of a ``PageOf``; a page past the end is empty."""
    paginator = Paginator(rows, per_page)
    shown = paginator.page(page).object_list if page <= paginator.num_pages else []
    return {"page": page, "per_page": per_page, "total": paginator.count, "items": [show(row) for row in shown]}
