"""A source type as a document: what programs and the command line are told about it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from b2b_recs.engine.sources.contract import SourceType
from b2b_recs.engine.sources.drivers import install_command


def described(declared: SourceType) -> dict[str, Any]:
    """A type with its form as JSON Schema (``parameters``), its abilities, and whether what reads it is installed."""
    return {
        "type": declared.type,
        "name": declared.name,
        "category": declared.category,
        "parameters": declared.Parameters.model_json_schema(),
        "secret_fields": list(declared.secret_fields),
        "capabilities": asdict(declared.capabilities),
        "installed": declared.installed,
        "install": install_command(declared.extra) if declared.extra else "",
        "verified_against": declared.verified_against,
        "grants": declared.grants,
    }
