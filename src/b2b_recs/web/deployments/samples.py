"""Lines a developer pastes to ask a deployed model."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass


@dataclass(frozen=True)
class Samples:
    """The same question in two languages."""

    curl: str
    python: str


def samples(address: str, model_id: int, customer: str, k: int, key: str = "") -> Samples:
    """Samples for one customer; without ``key`` it is read from the environment."""
    url = f"{address.rstrip('/')}/models/{model_id}/recommend"
    body = json.dumps({"customer_id": customer or "17850", "k": k}, ensure_ascii=False)
    bearer = key or "$B2B_RECS_API_KEY"
    curl = " \\\n  ".join(
        [
            f"curl {url}",
            f'-H "Authorization: Bearer {bearer}"',
            '-H "Content-Type: application/json"',
            f"-d {shlex.quote(body)}",
        ]
    )
    python = (
        "import json, os, urllib.request\n\n"
        "request = urllib.request.Request(\n"
        f"    {url!r},\n"
        f"    data=json.dumps({{'customer_id': {(customer or '17850')!r}, 'k': {k}}}).encode(),\n"
        "    headers={\n"
        "        'Authorization': 'Bearer ' + os.environ['B2B_RECS_API_KEY'],\n"
        "        'Content-Type': 'application/json',\n"
        "    },\n"
        ")\n"
        "with urllib.request.urlopen(request) as answer:\n"
        "    for product in json.load(answer)['recommendations']:\n"
        "        print(product['product_id'], product['score'], product['reason'])"
    )
    return Samples(curl, python)
