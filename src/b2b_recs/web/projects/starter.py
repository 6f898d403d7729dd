"""The lines an empty model shows: a project file to fill in and the two commands that use it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

FILE = """version: 1
model: {{name: {name}, currency: {currency}, time_zone: {time_zone}}}
connections:
  shop:
    type: postgresql
    host: db.example.com
    port: 5432
    database: shop
    username: reader
    password: {{env: SHOP_PASSWORD}}
jobs:
  order lines:
    connection: shop
    table: public.order_lines
    load: {{transactional: {{cursor: ordered_at, key: [order_id, line_no], backfill: all}}}}
    schedule: {{hourly: 15}}
  products: {{connection: shop, table: public.products, load: catalog, schedule: {{daily: "02:00"}}}}
datasets:
  purchases:
    base: bq_order_lines
    joins: [{{table: bq_products, on: {{product_id: product_id}}, kind: left}}]
    roles: {{customer: customer_id, product: product_id, time: ordered_at, revenue: line_total, quantity: quantity}}
pipeline: {{dataset: purchases, algorithms: auto, split: {{test_days: 30}}, deploy: when_better}}
"""


@dataclass(frozen=True)
class Starter:
    """Texts to copy."""

    file: str
    apply: str
    run: str


def starter(name: str, currency: str, time_zone: str) -> Starter:
    """The texts for a model of that name."""
    # a JSON string is a YAML string too, so any name is written safely
    quoted = json.dumps(name, ensure_ascii=False)
    return Starter(
        file=FILE.format(name=quoted, currency=currency, time_zone=time_zone).strip(),
        apply="SHOP_PASSWORD=… b2b-recs apply project.yaml",
        run=f"b2b-recs run {shlex.quote(name)} --wait",
    )
