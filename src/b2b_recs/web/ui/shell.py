"""What stands around every page: the organization, the links of the side navigation, the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from b2b_recs.web.accounts.choice import memberships_of
from b2b_recs.web.accounts.policies import allows


@dataclass(frozen=True)
class Link:
    """One entry of the side navigation."""

    name: str
    icon: str
    address: str
    here: bool


@dataclass(frozen=True)
class Group:
    """Entries under one caption; the first group has none."""

    title: str
    links: list[Link]


@dataclass(frozen=True)
class Shell:
    """Everything the shell template shows."""

    organization_name: str
    organization_id: int | None
    user_name: str
    groups: list[Group] = field(default_factory=list)
    organizations: list[Any] = field(default_factory=list)
    account_address: str = ""
    account_here: bool = False
    logout_address: str = ""
    switch_address: str = ""

    @property
    def initial(self) -> str:
        """The letter in the logo."""
        return self.organization_name[:1].upper() or "B"


# name, icon, URL name, further URL names under which the entry stays marked
GENERAL = (("Dashboard", "layout-dashboard", "dashboard", ("model_create",)),)
DATA_TABS = ("preview", "statistics", "quality", "versions", "compare", "rejected")
OF_MODEL = (
    ("Overview", "gauge", "model", ()),
    (
        "ETL",
        "database",
        "etl",
        ("job", "job_new", "job_step", "connection_new", "connection_form", "connection_edit"),
    ),
    ("Data", "table-2", "data", ("data_table", *(f"data_{tab}" for tab in DATA_TABS))),
    ("Runs", "history", "runs", ("etl_run", "pipeline_run")),
    ("Versions", "layers", "versions", ()),
    ("Try it", "sparkles", "try_it", ()),
    ("Endpoint keys", "key-round", "model_keys", ()),
)
# the least role that may use it comes first
OF_ORGANIZATION = (
    ("viewer", ("Members", "users", "members", ())),
    ("viewer", ("API keys", "key-round", "organization_keys", ())),
    ("admin", ("Audit log", "scroll-text", "audit", ())),
    ("admin", ("Settings", "settings", "organization", ())),
)


def shell_of(request: HttpRequest, model: Any = None) -> Shell:
    """The shell for a request; ``model`` adds the links of that model."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    groups = [Group("", [_link(entry, here) for entry in GENERAL])]
    if model is not None and getattr(model, "id", None):
        groups.append(Group(model.name, links_of(model.id, here)))
    organization = getattr(request, "organization", None)
    allowed = [_link(entry, here) for role, entry in OF_ORGANIZATION if allows(request, role)]
    if allowed:
        groups.append(Group("Organization", allowed))
    mine = [one.organization for one in memberships_of(request.user.pk)] if request.user.is_authenticated else []
    return Shell(
        organization_name=organization.name if organization else "b2b-recs",
        organization_id=organization.id if organization else None,
        user_name=str(getattr(request.user, "email", "")),
        groups=groups,
        organizations=mine if len(mine) > 1 else [],
        switch_address=_address("choose_organization"),
        account_address=_address("account"),
        account_here=bool(here) and (here == "account" or here.startswith(("account_", "mfa_"))),
        logout_address=_address("account_logout"),
    )


def links_of(model_id: int, here: str | None = "") -> list[Link]:
    """The pages of one model."""
    return [_link(entry, here, model_id) for entry in OF_MODEL]


def _link(entry: tuple[str, str, str, tuple[str, ...]], here: str | None, *args: int) -> Link:
    name, icon, address, also = entry
    return Link(name, icon, reverse(address, args=args), here == address or here in also)


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
