"""The load strategy proposed for a table: by what its columns are named and whether they may be empty."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from pydantic import BaseModel, Field

from b2b_recs.engine.schema.types import Confidence, WarehouseType
from b2b_recs.engine.sources.contract import ColumnInfo, SourceType
from b2b_recs.web.etl.loads import KINDS

# How words in names of columns begin, without accents, in English and seven other languages of Europe.
_MADE = (
    "crea", "cree", "insert", "ingest", "added", "record", "logged", "entered", "regist", "posted", "booked", "placed",
    "occur", "erstell", "angelegt", "anlage", "erfass", "erzeug", "gebucht", "ajout", "saisi", "alta", "inser", "criad",
    "criac", "aangemaakt", "ingevoerd", "utworz", "dodan",
)  # fmt: skip
_CHANGED = (
    "updat", "upd", "modif", "lastmod", "moddate", "modtime", "change", "geander", "geaender", "anderung", "aenderung",
    "aktualis", "maj", "actualiz", "aggiorna", "alterad", "atualiz", "gewijzig", "bijgewerkt", "zmienion", "modyfik",
    "aktualiz",
)  # fmt: skip
# What may lie long before or after the making of a row, or in the future.
_OTHER = (
    "birth", "born", "dob", "death", "deliver", "due", "expect", "plan", "schedul", "deadline", "expir", "valid",
    "until", "geburt", "liefer", "fallig", "faellig", "gultig", "gueltig", "naissance", "livraison", "echeance",
    "nacimiento", "entrega", "vencimiento", "nascita", "consegna", "scadenza", "nascimento", "geboorte", "levering",
    "urodzen", "dostaw",
)  # fmt: skip
# Tables whose rows go on changing after they were made, and those whose rows are things that happened.
_KEPT_UP = (
    "customer", "client", "account", "company", "companies", "contact", "supplier", "vendor", "product", "article",
    "item", "sku", "price", "pricing", "catalog", "categor", "stock", "inventor", "kunde", "firma", "firmen",
    "lieferant", "produkt", "artikel", "preis", "bestand", "lager", "produit", "cliente", "producto", "articulo",
    "prodotto", "articolo", "produto", "klant", "klient", "towar",
)  # fmt: skip
_HAPPENED = (
    "order", "line", "sale", "sold", "invoice", "transaction", "payment", "event", "log", "histor", "movement", "visit",
    "return", "shipment", "purchas", "receipt", "position", "bestell", "auftrag", "auftrage", "rechnung", "verkauf",
    "umsatz", "beleg", "bewegung", "commande", "facture", "vente", "pedido", "venta", "factura", "ordin", "vendit",
    "fattur", "venda", "fatura", "zamowien", "sprzedaz", "faktur",
)  # fmt: skip
_BEFORE = re.compile(r"^(?:last|date|dt|ts)(?=.)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LATE = " Rows in which it is empty are read by the first run only."


class ProposedLoad(BaseModel):
    """The load strategy proposed, to be given to add-source as ``load``."""

    load: dict[str, object]
    reason: str
    confidence: str = Field(description="high, medium or low.")


def propose_load(
    declared: SourceType,
    columns: Sequence[ColumnInfo],
    key: Sequence[str],
    times: Mapping[str, WarehouseType],
    table: str = "",
) -> ProposedLoad:
    """The load strategy that fits what is known of a table, and why; ``times`` are its columns of dates and times.

    Only what surely tells when a row was made or changed is a cursor: a column that may be empty and is named for
    something else, such as a delivery, would leave out rows that get it later.
    """
    if declared.capabilities.files and "files" in KINDS:
        return _proposed({"strategy": "files"}, "Each file is loaded once, and again when it changed.", Confidence.HIGH)
    if not declared.capabilities.incremental:
        return _catalog(f"{declared.name} cannot be asked for new rows only", Confidence.HIGH)
    empty = {column.name for column in columns if column.nullable}
    changed = next(iter(sorted((name for name in times if _tells(name, _CHANGED)), key=empty.__contains__)), None)
    if changed and not key:
        return _catalog(f"{changed} tells which rows changed, and no key says which rows they replace", Confidence.HIGH)
    if changed and "merge" in KINDS:
        return _proposed(
            {"strategy": "merge", "cursor": changed, "key": list(key)},
            f"{changed} tells which rows changed, and {', '.join(key)} which rows they replace."
            + (_LATE if changed in empty else ""),
            Confidence.MEDIUM if changed in empty else Confidence.HIGH,
        )
    if times and _tells(table, _KEPT_UP) and not _happened(table):
        return _catalog("Rows of such a table change, and no column tells when", Confidence.MEDIUM)
    return _by_making(key, times, empty)


def _by_making(key: Sequence[str], times: Mapping[str, WarehouseType], empty: set[str]) -> ProposedLoad:
    """By the column that tells best when a row was made; the whole table where none does."""
    if not times:
        return _catalog("No column tells which rows are new", Confidence.HIGH)
    usable = [name for name in times if _tells(name, _MADE) or not (name in empty or _tells(name, _OTHER))]
    if not usable:
        name = next(iter(times))
        why = "may be empty and" if name in empty else "is there but"
        return _catalog(f"{name} {why} does not say when a row was made", Confidence.MEDIUM)

    def rank(name: str) -> tuple[bool, bool, bool]:
        return not _tells(name, _MADE), name in empty, times[name] is WarehouseType.DATE

    cursor = min(usable, key=rank)
    named, late = _tells(cursor, _MADE), cursor in empty
    return _proposed(
        {"strategy": "transactional", "cursor": cursor, "key": list(key)},
        f"{cursor} tells which rows are new; only those are read."
        + (
            _LATE
            if late
            else ""
            if named
            else f" A row that is put in later with an earlier {cursor} is only found as far as each run looks back."
        ),
        Confidence.HIGH if named and not late else Confidence.MEDIUM,
    )


def _catalog(why: str, confidence: Confidence) -> ProposedLoad:
    return _proposed({"strategy": "catalog"}, f"{why}, so the whole table is read each run.", confidence)


def _proposed(load: dict[str, object], reason: str, confidence: Confidence) -> ProposedLoad:
    return ProposedLoad(load=load, reason=reason, confidence=confidence.value)


def _tells(name: str, stems: tuple[str, ...]) -> bool:
    """Whether a word in the name of a column begins so, in any spelling: created_at, createdAt, DTCREATED, créé_le."""
    return any(word.startswith(stems) for word in _words(name))


def _happened(table: str) -> bool:
    """Whether a table is named for things that happened, in one word with others too: Kundenaufträge."""
    inside = tuple(stem for stem in _HAPPENED if len(stem) > 4)
    return _tells(table, _HAPPENED) or any(stem in word for word in _words(table) for stem in inside)


def _words(name: str) -> Iterator[str]:
    """The words of a name, without what programs put before them, and each with its neighbour."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    words = [word.lower() for word in _WORD.findall(plain)]
    for word in words:
        yield word
        yield _BEFORE.sub("", word)
    for one, other in pairwise(words):
        yield one + other
