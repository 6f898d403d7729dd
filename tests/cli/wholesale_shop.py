"""A wholesaler's database as somebody else designed it: German names, text ids with leading zeros."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from wholesale_orders import habitual_orders

READER, PASSWORD = "leser", "geheim-Ä1"
KNOWN = "00003"

TABLES = """
CREATE TABLE kunden (kundennummer text PRIMARY KEY, firma text NOT NULL, land text);
CREATE TABLE artikel (artikelnummer text PRIMARY KEY, bezeichnung text NOT NULL, warengruppe text);
CREATE TABLE auftraege (
    auftragsnummer text PRIMARY KEY, kundennummer text REFERENCES kunden, bestellt_am timestamptz NOT NULL
);
CREATE TABLE positionen (
    auftragsnummer text REFERENCES auftraege, position integer, artikelnummer text REFERENCES artikel,
    menge integer NOT NULL, betrag numeric(12, 2) NOT NULL, erfasst_am timestamptz NOT NULL,
    PRIMARY KEY (auftragsnummer, position)
);
CREATE TABLE gesperrt (nummer integer PRIMARY KEY);
CREATE TABLE leer (LIKE positionen);
CREATE TABLE ein_kunde (LIKE positionen INCLUDING ALL);
CREATE TABLE ein_artikel (LIKE positionen INCLUDING ALL);
ALTER TABLE leer ADD kundennummer text;
ALTER TABLE ein_kunde ADD kundennummer text;
ALTER TABLE ein_artikel ADD kundennummer text;
"""


def fill(url: str) -> int:
    """Make the tables of an empty database and let the reader read them; returns how many order lines there are."""
    orders = habitual_orders(customers=60, products=80)
    with psycopg.connect(url) as shop:
        shop.execute(TABLES)  # type: ignore[arg-type]
        customers = [f"{index:05d}" for index in range(orders.customers)]
        products = [f"{index:08d}" for index in range(orders.products)]
        with shop.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO kunden VALUES (%s, %s, %s)",
                [(number, f"Müller & Söhne {number}", "DE") for number in customers],
            )
            cursor.executemany(
                "INSERT INTO artikel VALUES (%s, %s, %s)",
                [(number, f"Schraube „{number}“", f"Gruppe {int(number) % 4}") for number in products],
            )
            first = {}
            for line in range(len(orders)):
                first.setdefault(int(orders.order[line]), line)
            cursor.executemany(
                "INSERT INTO auftraege VALUES (%s, %s, %s)",
                [
                    (f"A{number:06d}", customers[orders.customer[line]], _moment(orders.time[line]))
                    for number, line in first.items()
                ],
            )
            place: dict[int, int] = {}
            rows = []
            for line in range(len(orders)):
                order = int(orders.order[line])
                place[order] = place.get(order, 0) + 1
                rows.append(
                    (f"A{order:06d}", place[order], products[orders.product[line]], int(orders.quantity[line]),
                     round(float(orders.revenue[line]), 2), _moment(orders.time[line]))
                )  # fmt: skip
            cursor.executemany("INSERT INTO positionen VALUES (%s, %s, %s, %s, %s, %s)", rows)
        for table, what, which in (
            ("ein_kunde", "p.*, a.kundennummer", "a.kundennummer = '00001'"),
            ("ein_artikel", "p.*, a.kundennummer", "p.artikelnummer = '00000001'"),
        ):
            shop.execute(
                f"INSERT INTO {table} SELECT {what} FROM positionen p JOIN auftraege a USING (auftragsnummer)"  # type: ignore[arg-type]
                f" WHERE {which}"
            )
        shop.execute(
            f"GRANT SELECT ON kunden, artikel, auftraege, positionen, leer, ein_kunde, ein_artikel TO {READER}"  # type: ignore[arg-type]
        )
    return len(rows)


def _moment(microseconds: Any) -> datetime:
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)


PROJECT = """\
version: 1
model: {{name: Großhandel, currency: EUR, time_zone: Europe/Berlin}}
connections:
  warenwirtschaft:
    type: postgresql
    host: 127.0.0.1
    port: {port}
    database: warenwirtschaft
    username: leser
    password: {{env: LESER_PASSWORT}}
jobs:
  positionen:
    connection: warenwirtschaft
    table: public.positionen
    load: {{transactional: {{cursor: erfasst_am, key: [auftragsnummer, position], backfill: all}}}}
    schedule: {{hourly: 15}}
  aufträge: {{connection: warenwirtschaft, table: public.auftraege, load: catalog, schedule: {{daily: "02:00"}}}}
  artikel: {{connection: warenwirtschaft, table: public.artikel, load: catalog, time_zone: UTC}}
datasets:
  einkäufe:
    base: bq_positionen
    joins:
      - {{table: bq_auftraege, on: {{auftragsnummer: auftragsnummer}}, kind: left}}
      - {{table: bq_artikel, on: {{artikelnummer: artikelnummer}}, kind: left}}
    roles:
      customer: kundennummer
      product: artikelnummer
      time: erfasst_am
      revenue: betrag
      quantity: menge
      order: auftragsnummer
      product_name: bezeichnung
pipeline: {{dataset: einkäufe, algorithms: auto, split: {{test_days: 30}}, deploy: always}}
"""


@dataclass(frozen=True)
class Shop:
    """The seller's system."""

    port: int
    lines: int

    def project(self, **changes: str) -> str:
        """The project file, with texts replaced."""
        text = PROJECT.format(port=self.port)
        for old, new in changes.items():
            text = text.replace(old, new)
        return text
