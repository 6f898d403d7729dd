"""Every source type this installation can read, and the only way to open one."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.quoted import quoted
from b2b_recs.engine.several import together
from b2b_recs.engine.sources.contract import Dialer, Source, SourceType
from b2b_recs.engine.sources.drivers import load_driver
from b2b_recs.engine.value_words import words_for

# type → (module below this package, class), in the order of the pages. A declaration is imported when it is asked for.
_DECLARED: dict[str, tuple[str, str]] = {
    "postgresql": ("postgresql.declaration", "PostgreSQL"),
    "mysql": ("mysql.declarations", "MySQL"),
    "mariadb": ("mysql.declarations", "MariaDB"),
    "sqlserver": ("sqlserver.declaration", "SQLServer"),
    "oracle": ("oracle.declaration", "Oracle"),
    "redshift": ("redshift.declaration", "Redshift"),
    "sqlite": ("sqlite.declaration", "SQLite"),
    "bigquery": ("bigquery.declaration", "BigQuery"),
    "snowflake": ("snowflake.declaration", "Snowflake"),
    "mongodb": ("mongodb.declaration", "MongoDB"),
    "firestore": ("firestore.declaration", "Firestore"),
    "csv": ("files.declarations", "Csv"),
    "parquet": ("files.declarations", "Parquet"),
    "json": ("files.declarations", "Json"),
    "excel": ("files.declarations", "Excel"),
    "gcs": ("object_stores.declarations", "GoogleCloudStorage"),
    "s3": ("object_stores.declarations", "AmazonS3"),
    "azure_blob": ("object_stores.declarations", "AzureBlob"),
    "sftp": ("sftp.declaration", "Sftp"),
}


class SourceTypes(Mapping[str, SourceType]):
    """The declarations by type, each imported the first time it is asked for; names are known without any."""

    def __init__(self) -> None:
        self.imported: dict[str, SourceType] = {}

    def __getitem__(self, type_name: str) -> SourceType:
        found = self.imported.get(type_name)
        if found is None:
            module, name = _DECLARED[type_name]
            declared: type[SourceType] = getattr(importlib.import_module(f"b2b_recs.engine.sources.{module}"), name)
            found = self.imported.setdefault(type_name, declared())
        return found

    def __contains__(self, type_name: object) -> bool:
        return type_name in _DECLARED

    def __iter__(self) -> Iterator[str]:
        return iter(_DECLARED)

    def __len__(self) -> int:
        return len(_DECLARED)


SOURCE_TYPES = SourceTypes()


def source_type(type_name: str) -> SourceType:
    """The declaration of a source type. Raises BadInput naming ``type``; names are matched exactly."""
    found = SOURCE_TYPES.get(type_name) if isinstance(type_name, str) else None
    if found is None:
        raise BadInput(
            f"There is no source type {quoted(type_name, 40)}.",
            advice=f"Choose one of: {', '.join(sorted(SOURCE_TYPES))}.",
            field="type",
        )
    return found


def parse_parameters(type_name: str, parameters: Mapping[str, Any]) -> BaseModel:
    """The typed parameters of a source. Raises BadInput naming the first field at fault, never a secret's value."""
    declared = source_type(type_name)
    try:
        return declared.Parameters.model_validate(dict(parameters))
    except ValidationError as error:
        raise together(_refusals(declared, error)) from None


def parameter_faults(type_name: str, parameters: Mapping[str, Any]) -> list[BadInput]:
    """Everything wrong with these parameters, one refusal for each field; empty when they can be used."""
    declared = source_type(type_name)
    try:
        declared.Parameters.model_validate(dict(parameters))
    except ValidationError as error:
        return _refusals(declared, error)
    return []


def _refusals(declared: SourceType, error: ValidationError) -> list[BadInput]:
    """One refusal for each field."""
    refusals = [_refusal(declared, one) for one in error.errors(include_url=False)]
    return list({refusal.field: refusal for refusal in reversed(refusals)}.values())[::-1]


def open_source(type_name: str, parameters: Mapping[str, Any], dial: Dialer) -> Source:
    """An open source. Raises BadInput for wrong parameters, DriverMissing, and what the type's ``open`` raises."""
    declared, parsed = source_type(type_name), parse_parameters(type_name, parameters)
    if declared.driver:
        load_driver(declared.driver, extra=declared.extra, name=declared.name)
    return declared.open(parsed, dial)


def _refusal(declared: SourceType, first: ErrorDetails) -> BadInput:
    if not first["loc"]:
        return _refused_together(declared, first)
    field = str(first["loc"][0])
    known = declared.Parameters.model_fields.get(field)
    if known is None:
        names = ", ".join(declared.Parameters.model_fields)
        return BadInput(
            f"{declared.name} has no setting {quoted(field, 40)}.", advice=f"It has: {names}.", field=field or None
        )
    title = known.title or field
    value = first.get("input")
    blank = not (value.get_secret_value() if isinstance(value, SecretStr) else str(value)).strip()
    if first["type"] == "missing" or (blank and known.is_required()):
        return BadInput(f"{title} is missing.", advice=known.description or f"Fill in {title.lower()}.", field=field)
    reason, advice = words_for(first)
    if blank and first["type"] == "value_error":  # needed by what else is given, and the reason says when it is not
        return BadInput(f"{title} is missing.", advice=f"{reason[:1].upper()}{reason[1:]}.", field=field)
    # An address that was pasted whole may hold a password, and a large box a private key.
    large = isinstance(known.json_schema_extra, dict) and "format" in known.json_schema_extra
    hidden = large or field in declared.secret_fields or _may_hold_a_secret(str(value))
    shown = "" if hidden else f" {quoted(value)}"
    bounds = _bounds(known)
    if bounds and str(first["type"]).startswith(("greater_than", "less_than")):  # the bounds say it, once
        return BadInput(f"{title}{shown} cannot be used.", advice=bounds, field=field)
    advice = bounds or advice or known.description or f"Change {title.lower()}."
    return BadInput(f"{title}{shown} cannot be used: {reason}.", advice=advice, field=field)


def _refused_together(declared: SourceType, error: ErrorDetails) -> BadInput:
    """The refusal of a rule about several settings: its own words, at the setting they name."""
    reason, _ = words_for(error)
    fields = declared.Parameters.model_fields
    named = [name for name in fields if name.replace("_", " ") in reason.lower()]
    field = "password" if "password" in named else next(iter(named), None)
    advice = fields[field].description if field else None
    return BadInput(f"{reason[:1].upper()}{reason[1:]}.", advice=advice or "Look at all settings again.", field=field)


def _bounds(known: FieldInfo) -> str:
    """The numbers a setting takes, empty when it is no number between two bounds."""
    limits = {name: getattr(rule, name) for rule in known.metadata for name in ("ge", "le") if hasattr(rule, name)}
    return f"Give a number from {limits['ge']:,} to {limits['le']:,}." if len(limits) == 2 else ""


def _may_hold_a_secret(text: str) -> bool:
    """Whether a value looks like an address with a password, a key or a signature in it."""
    return "@" in text or ("://" in text and "?" in text)
