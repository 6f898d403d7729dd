"""Which columns hold codes: numbers that name a thing, stand in other tables as well, and are never added up."""

from __future__ import annotations

import re

# Any of these words in a column's name says that it holds codes.
_NAMING = frozenset(
    (
        "id", "ids", "uid", "uuid", "guid", "key", "code", "codes", "sku", "ean", "gtin", "upc", "isbn", "asin", "mpn",
        "barcode", "serial", "hash", "ref", "reference", "zip", "zipcode", "postal", "postcode", "plz", "phone",
        "telephone", "telefon", "tel", "mobile", "fax", "iban", "bic", "ssn",
    )
)  # fmt: skip
# So do these, but for "number of items".
_NUMBERING = frozenset(("no", "nr", "num", "number", "nummer", "numero"))
# A column that is named after the thing alone names the thing.
_THINGS = frozenset(
    (
        "article", "artikel", "item", "part", "product", "produkt", "material", "customer", "client", "kunde", "user",
        "account", "konto", "supplier", "vendor", "lieferant", "order", "auftrag", "invoice", "rechnung", "store",
    )
)  # fmt: skip
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# The same in one word, as in customerid and kundennr.
_TOGETHER = re.compile(rf"({'|'.join(sorted(_THINGS))})n?(id|no|nr|num|key)|\w+(code|number|nummer)")


def why_codes(name: str, key_position: int | None = None) -> str:
    """Why numbers in the text column are taken for codes, in words; empty when they are not."""
    if key_position is not None:
        return "the column is part of the key"
    words = [part.lower() for part in _PARTS.findall(name)]
    numbering = any(one in _NUMBERING and after != "of" for one, after in zip(words, [*words[1:], ""], strict=False))
    named = numbering or bool(_NAMING.intersection(words)) or any(map(_TOGETHER.fullmatch, words))
    return "columns named so hold codes" if named or (words and _THINGS.issuperset(words)) else ""
