"""The form of a connection, made from what its source type declares; what a person typed, as parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from b2b_recs.engine.sources.contract import SourceType

# Settings with a default that fits nearly everybody; they stand behind "More settings".
FURTHER = frozenset(
    (
        "ca_certificate", "delimiter", "quote", "header", "encoding", "null_text", "header_row", "layout",
        "sampled_documents", "host_style", "auth_database", "session_token", "signature",
    )
)  # fmt: skip
# Fields that share a row; every other stands alone.
WIDTHS = {
    "host": "wide",
    "port": "narrow",
    "username": "half",
    "password": "half",
    "region": "half",
    "endpoint": "half",
}


# What an address of a type may look like that is taken apart when pasted; other types have none.
PASTED = {
    "s3": "s3://bucket/folder",
    "gcs": "gs://bucket/folder",
    "azure_blob": "DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…",
    "bigquery": "bigquery://project/dataset",
    "snowflake": "snowflake://user:password@account/database",
    "oracle": "jdbc:oracle:thin:@//host:1521/service",
    "sftp": "sftp://user:password@host/folder",
    **{
        kind: f"{kind}://user:password@host/database"
        for kind in ("postgresql", "mysql", "mariadb", "sqlserver", "redshift", "mongodb")
    },
}


@dataclass(frozen=True)
class FormField:
    """One setting as the page asks for it; ``value`` is never that of a secret, ``set_at`` says that one is stored."""

    name: str
    title: str
    hint: str
    kind: str
    required: bool
    value: str = ""
    choices: tuple[str, ...] = ()
    longest: int | None = None
    default: str = ""
    further: bool = False
    set_at: Any = None
    secret: bool = False
    folders: tuple[str, ...] = ()

    @property
    def width(self) -> str:
        """How much of a row it takes: full, wide, half or narrow."""
        return WIDTHS.get(self.name, "half" if self.kind in ("select", "integer") else "full")

    @property
    def checked(self) -> bool:
        """Whether a box is ticked."""
        return self.value == "True"


@dataclass(frozen=True)
class ConnectionForm:
    """The settings of one source type with the values they have."""

    fields: list[FormField] = field(default_factory=list)

    @property
    def usual(self) -> list[FormField]:
        """What nearly every connection needs."""
        return [one for one in self.fields if not one.further]

    @property
    def further(self) -> list[FormField]:
        """What few connections need."""
        return [one for one in self.fields if one.further]


def form_of(
    declared: SourceType,
    values: Mapping[str, Any] | None = None,
    set_at: Mapping[str, Any] | None = None,
    folders: Iterable[Path] = (),
) -> ConnectionForm:
    """The form of a source type; ``values`` are plain settings, ``set_at`` the secrets stored and since when.

    ``folders`` are those of this machine that may be read; they stand beside the setting that names one.
    """
    schema = declared.Parameters.model_json_schema()
    required, values, set_at = set(schema.get("required", ())), values or {}, set_at or {}
    fields = []
    for name, one in schema["properties"].items():
        secret = name in declared.secret_fields
        kind, default = _kind(one, secret), "" if one.get("default") is None else str(one["default"])
        fields.append(
            FormField(
                name=name,
                title=str(one.get("title", name)),
                hint=_hint(str(one.get("description", "")), stored=name in set_at),
                kind=kind,
                required=name in required,
                value="" if secret else str(values.get(name, default if kind in ("select", "check") else "")),
                choices=tuple(str(choice) for choice in one.get("enum", ())),
                longest=one.get("maxLength"),
                default=default,
                further=name in FURTHER and name not in required,
                set_at=set_at.get(name),
                secret=secret,
                folders=tuple(map(str, folders)) if name == declared.place_field else (),
            )
        )
    # A server's settings stand as they are declared; of a store what must be given stands first.
    served = any(one.name == "host" and one.required for one in fields)
    return ConnectionForm(fields if served else sorted(fields, key=lambda one: not one.required))


def _hint(description: str, stored: bool) -> str:
    """What a setting is; of a secret that is stored not when it is left empty, for that keeps it."""
    return re.sub(r"\s*Left empty [^.]*\.", "", description) if stored else description


def parameters_from(declared: SourceType, typed: Mapping[str, str]) -> dict[str, Any]:
    """The parameters somebody typed; what was left empty is left out, so that its default holds."""
    found: dict[str, Any] = {}
    for name, one in declared.Parameters.model_json_schema()["properties"].items():
        if one.get("type") == "boolean":
            if name in typed:
                found[name] = True
            continue
        text = typed.get(name, "")
        value = text if name in declared.secret_fields else text.strip()
        if value != "":
            found[name] = _number(value) if _may_be_number(one) else value
    return found


def changes_from(declared: SourceType, typed: Mapping[str, str], stored: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the ``stored`` plain parameters; None takes one back to its default, empty secrets stay.

    A secret whose box to remove it is ticked is None, unless another one was typed.
    """
    forgotten = {name: None for name in declared.secret_fields if typed.get(f"forget-{name}")}
    given = {**forgotten, **parameters_from(declared, typed)}
    gone = {name: None for name in stored if name not in given and name not in declared.secret_fields}
    changed = {name: value for name, value in given.items() if stored.get(name, object()) != value}
    return {
        **gone,
        **{name: value for name, value in changed.items() if not _is_default(declared, name, value, stored)},
    }


def _is_default(declared: SourceType, name: str, value: Any, stored: Mapping[str, Any]) -> bool:
    """A value that is what holds anyway, because nothing was stored."""
    known = declared.Parameters.model_fields.get(name)
    return known is not None and name not in stored and value == known.default


def _kind(schema: Mapping[str, Any], secret: bool) -> str:
    # A private key has many lines, and a field for passwords has one.
    if schema.get("format") == "textarea" or "ssh-keygen" in str(schema.get("description", "")):
        return "textarea"
    if secret:
        return "password"
    if "enum" in schema:
        return "select"
    return {"integer": "integer", "boolean": "check"}.get(str(schema.get("type")), "text")


def _may_be_number(schema: Mapping[str, Any]) -> bool:
    return any(one.get("type") == "integer" for one in (schema, *schema.get("anyOf", ())))


def _number(text: str) -> Any:
    """A whole number when it is one; else the text, which the declaration refuses in words."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text
