"""Which codes look like something else than a product: postage, charges, corrections. Only the data itself is asked."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

ENOUGH = 20  # products; with fewer nothing is usual
_COMMON, _ODD_AT_MOST = 0.05, 0.1  # shares of all products
_NEARLY_ONE = 1.5  # times between a low and a high price
_SOME, _LINES = 3, 10  # priced lines before a product tells what is usual, and before its price can be called wild
_WILD, _WILDER = 20.0, 4.0  # times between a low and a high price, and times the spread that is usual


@dataclass(frozen=True)
class Sold:
    """A product with what is known of its lines; ``low`` and ``high`` are prices that nearly all lines keep to."""

    code: str
    name: str
    rows: int
    worth: float
    low: float | None = None
    high: float | None = None
    priced: int = 0


def unlike_reasons(products: Sequence[Sold]) -> dict[str, tuple[str, ...]]:
    """Code → why it looks like no product, each reason a sentence; codes that look usual are left out."""
    found: dict[str, list[str]] = {}
    if len(products) >= ENOUGH:
        for reasons in (_odd_forms(products), _short(products), _wild_prices(products)):
            if len(reasons) <= _ODD_AT_MOST * len(products):  # what many have is no exception
                for code, words in reasons.items():
                    found.setdefault(code, []).append(words)
    return {code: tuple(words) for code, words in found.items()}


def form_of(code: str) -> str:
    """How a code is written: 9 for a run of digits, A for one of letters, other signs as they are."""
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", code))


def _odd_forms(products: Sequence[Sold]) -> dict[str, str]:
    forms = {one.code: form_of(one.code) for one in products}
    counts = Counter(forms.values())
    common = [form for form, count in counts.most_common() if count >= max(3, _COMMON * len(products))]
    if not common:
        return {}
    share = math.floor(100 * sum(counts[form] for form in common) / len(products))
    by_rows = sorted(products, key=lambda one: -one.rows)
    examples = [next(one.code for one in by_rows if forms[one.code] == form) for form in common[:2]]
    words = f"Its code is written unlike the others: {share} % look like {' or '.join(examples)}."
    return {code: words for code, form in forms.items() if form not in common}


def _short(products: Sequence[Sold]) -> dict[str, str]:
    usual = round(quantiles([len(one.code) for one in products], n=20)[0])
    words = f"Its code is very short: nearly all others have {usual} signs or more."
    return {one.code: words for one in products if 2 * len(one.code) < usual}


def _wild_prices(products: Sequence[Sold]) -> dict[str, str]:
    spreads = {
        one.code: (one, one.high / one.low)
        for one in products
        if one.low is not None and one.high is not None and one.priced >= _SOME and one.low > 0
    }
    if len(spreads) < ENOUGH:
        return {}
    usual = median(spread for _, spread in spreads.values())
    others = (
        "most products keep nearly one price"
        if usual < _NEARLY_ONE
        else f"the highest price of most products is at most {usual:.1f} times their lowest"
    )
    return {
        code: f"Its price runs from {one.low:,.2f} to {one.high:,.2f} a piece; {others}."
        for code, (one, spread) in spreads.items()
        if one.priced >= _LINES and spread >= _WILD and spread >= _WILDER * usual
    }
