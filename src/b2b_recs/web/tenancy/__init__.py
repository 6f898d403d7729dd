"""The tenant scope: whose rows this piece of code may see. The database enforces it; this says so early."""

from b2b_recs.web.tenancy.scopes import (
    ScopeMissing,
    audit_context,
    current,
    operating,
    person,
    required,
    scope,
    unscoped,
)

__all__ = [
    "ScopeMissing",
    "audit_context",
    "current",
    "operating",
    "person",
    "required",
    "scope",
    "unscoped",
]
