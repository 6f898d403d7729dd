"""What may be asked: the two request bodies, their limits, and refusals that name the field."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, TypeVar

import msgspec

from b2b_recs.engine.serving.refusals import Refused
from b2b_recs.engine.serving.values import value_at

MOST_RECOMMENDATIONS = 1000
MOST_CUSTOMERS = 1000
MOST_PRODUCTS = 10_000
MOST_CATEGORIES = 1000
MOST_CONTEXT = 32
MOST_BYTES = 2 * 1024 * 1024
LONGEST_NAME = 64  # of an unknown field, as a refusal repeats it

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=256, pattern=r"^[^\x00]*\Z")]
Text = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^[^\x00]*\Z")]
Count = Annotated[int, msgspec.Meta(ge=1, le=MOST_RECOMMENDATIONS)]
Products = Annotated[list[Identifier], msgspec.Meta(max_length=MOST_PRODUCTS)]
Customers = Annotated[list[Identifier], msgspec.Meta(min_length=1, max_length=MOST_CUSTOMERS)]
Categories = Annotated[list[Text], msgspec.Meta(min_length=1, max_length=MOST_CATEGORIES)]
Context = Annotated[dict[Identifier, Text | int | float | bool | None], msgspec.Meta(max_length=MOST_CONTEXT)]

IDENTIFIER_WORDS = "text in quotes, of 1 to 256 characters and without NUL"
WANTED = {
    "customer_id": f'{IDENTIFIER_WORDS}, such as "17850"',
    "customers": f"a list of 1 to {MOST_CUSTOMERS} customer ids",
    "customers[]": IDENTIFIER_WORDS,
    "k": f"a whole number from 1 to {MOST_RECOMMENDATIONS}",
    "filters": "an object",
    "filters.categories": f"a list of 1 to {MOST_CATEGORIES} category names",
    "filters.categories[]": "text of at most 1024 characters and without NUL",
    "filters.products": f"a list of at most {MOST_PRODUCTS} product ids",
    "filters.products[]": IDENTIFIER_WORDS,
    "filters.purchased": '"only" or "never"',
    "exclude": f"a list of at most {MOST_PRODUCTS} product ids",
    "exclude[]": IDENTIFIER_WORDS,
    "context": f"an object of at most {MOST_CONTEXT} entries named by text of 1 to 256 characters and without NUL, "
    "each text, a number, true, false or null",
    "context[]": "text of at most 1024 characters and without NUL, a number, true, false or null",
}
# how other services call these fields, which no likeness of letters tells
OTHER_NAMES = dict.fromkeys(
    ("count", "limit", "n", "top", "topk", "top_k", "top_n", "num", "number", "size", "max_results"), "k"
) | dict.fromkeys(("user", "user_id", "customer"), "customer_id")
# the union's message spells its members; the words above are the ones people read
_PLACE = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")


class Filters(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which products may be shown at all; ``purchased`` is counted over the data the model learnt from."""

    categories: Categories | None = None
    products: Products | None = None
    purchased: Annotated[str, msgspec.Meta(pattern=r"^(only|never)\Z")] | None = None


class RecommendBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One customer's question."""

    customer_id: Identifier
    k: Count = 10
    filters: Filters | None = None
    exclude: Products = []
    context: Context | None = None


class BatchBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The same question for many customers."""

    customers: Customers
    k: Count = 10
    filters: Filters | None = None
    exclude: Products = []
    context: Context | None = None


Body = TypeVar("Body", RecommendBody, BatchBody)


def decoder(body: type[Body]) -> msgspec.json.Decoder[Body]:
    """A decoder of that body; built once, used for every request."""
    return msgspec.json.Decoder(type=body)


def read(using: msgspec.json.Decoder[Body], raw: bytes) -> Body:
    """The body as a struct; raises Refused 400 for text that is not JSON, 422 naming the field at fault."""
    try:
        return using.decode(raw)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), using.type, raw) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(str(error), using.type, raw) from None


_EXAMPLES = {
    RecommendBody: '{"customer_id": "17850", "k": 10}',
    BatchBody: '{"customers": ["17850", "13047"], "k": 10}',
}
_BYTE = re.compile(r"\(byte (\d+)\)")


def _no_json(words: str, body: type[RecommendBody] | type[BatchBody], raw: bytes) -> Refused:
    at = _BYTE.search(words)
    where = f": byte {int(at[1]) + 1:,} does not fit" if at else ""
    message = f"The body is not JSON in UTF-8{where}." if raw.strip() else "The body is empty."
    return Refused(400, "bad_json", message, advice=f"Send an object such as {_EXAMPLES[body]}.")


def _refusal(words: str, body: type[RecommendBody] | type[BatchBody], raw: bytes) -> Refused:
    place = _PLACE.search(words)
    field = place.group(1).lstrip(".") if place else ""
    missing = _MISSING.search(words)
    if missing:
        field = _joined(field, missing.group(1))
        return Refused(422, "missing", f"{field} is missing.", field=field, advice=f"Send {_wanted(field)}.")
    unknown = _UNKNOWN.search(words)
    if unknown:
        known = (Filters if field.startswith("filters") else body).__struct_fields__
        return _unknown(_joined(field, unknown.group(1)[:LONGEST_NAME]), unknown.group(1), known)
    value = value_at(raw, field)
    message = f"{field or 'The body'} {f'is {value}, which' if value else 'holds what'} cannot be used."
    if not field:
        return Refused(422, "bad_value", message, advice=f"Send an object such as {_EXAMPLES[body]}.")
    needed = field.partition("[")[0] in ("customer_id", "customers")
    advice = f"Send {_wanted(field)}{'' if needed else ', or leave it out'}."
    return Refused(422, "bad_value", message, field=field, advice=advice)


def _unknown(field: str, name: str, known: tuple[str, ...]) -> Refused:
    other = OTHER_NAMES.get(name[:LONGEST_NAME].lower())
    meant = [other] if other is not None and other in known else get_close_matches(name[:LONGEST_NAME], known, 1)
    advice = f"Use {meant[0]} in its place" if meant else "Leave it out"
    return Refused(
        422,
        "unknown_field",
        f"{field} is not a field of this request.",
        field=field,
        advice=f"{advice}. The fields are {', '.join(known)}.",
    )


def _joined(parent: str, name: str) -> str:
    return f"{parent}.{name}" if parent else name


def _wanted(field: str) -> str:
    return WANTED[re.sub(r"\[[^\]]*\]", "[]", field)]
