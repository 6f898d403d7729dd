"""From the confirmed set-up page to a dataset, a pipeline and a training. Call inside the organization's scope."""

from __future__ import annotations

import re

from django.db import transaction

from b2b_recs.engine.counting import counted
from b2b_recs.engine.datasets.local_time import zone_named
from b2b_recs.engine.datasets.spec import Condition, DatasetSpec, Join
from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.training.spec import TrainingSpec
from b2b_recs.web.accounts.models import User
from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.projects.setup import RoleField, SetupForm
from b2b_recs.web.projects.setup_returns import with_returns
from b2b_recs.web.projects.setup_rules import conditions_of, find_faults, with_rules
from b2b_recs.web.projects.setup_saved import joined_name
from b2b_recs.web.training.models import PipelineConfiguration, PipelineRun
from b2b_recs.web.training.services import start_pipeline

NAME = "purchases"
# field → its label, the least and the most it may be
BOUNDS = {"history_days": ("Last days", 1, 36_500), "top_share": ("Products of the top % of revenue", 1, 100),
          "test_days": ("Days to test on", 1, 3_650)}  # fmt: skip


def faults_of(form: SetupForm, time_zone: str) -> dict[str, BadInput]:
    """What cannot be saved, by field, one fault for a field; the form's questions and lines have theirs."""
    found = {fault.field or "": fault for fault in reversed([*column_faults(form), *number_faults(form)])}
    if find_faults(form.rules, form.rule_columns, zone_named(time_zone)):
        found |= {f"{rule.name}_{part}": fault for rule in form.rules for part, fault in rule.faults.items()}
    for role in (*form.roles, *form.product_roles):
        role.fault = found.get(role.name)
    return found


def dataset_spec(form: SetupForm) -> DatasetSpec:
    """The definition of a form without faults. What the page does not ask stays while the table stays."""
    columns = _columns(form)
    kept = form.kept
    document = kept.spec.model_dump() if kept is not None else {"base": form.base.name}
    joins: list[Join] = list(kept.spec.joins) if kept is not None else []
    before = kept.product_join if kept is not None else None
    place = joins.index(before) if before is not None else len(joins)
    join = _join(form, columns, before)
    joins[place : place + (before is not None)] = [join] if join is not None else []
    asked = {role.name: columns.get(role.name) for role in (*form.roles, *form.product_roles)}
    share = float(form.top_share.strip()) / 100 if "revenue" in columns else 1.0
    filters = {
        **document.get("filters", {}),
        "history_days": int(form.history_days) if form.history_days.strip() else None,
        "top_revenue_share": round(share, 6),
        "where": where_of(form),
    }
    roles = {**document.get("roles", {}), **asked}
    return DatasetSpec.model_validate({**document, "joins": joins, "roles": roles, "filters": filters})


def where_of(form: SetupForm) -> list[Condition]:
    """The conditions of a form without faults."""
    before = form.kept.spec.filters.where if form.kept is not None else ()
    rules = with_returns(form.rules, form.returns or (), form.numbers)
    return with_rules(before, conditions_of(form.ticked, form.product, rules))


def training_spec(form: SetupForm) -> TrainingSpec:
    """How the model of a form without faults is trained: as before but for the test period."""
    before = form.saved.training.model_dump() if form.saved is not None else {}
    split = {"test_days": int(form.test_days)} if form.test_days.strip() else before.get("split", {})
    return TrainingSpec.model_validate({**before, "split": split})


def save_and_train(model: ModelEndpoint, user: User | None, form: SetupForm) -> PipelineRun:
    """Keep the settings and ask for a training, both or neither.

    The run that comes back has not begun, and will read these settings, as long as it is pending; a run that had
    begun before goes on with what it read. Raises ModelArchived.
    """
    own = {"organization_id": model.organization_id}
    name = form.saved.name if form.saved is not None else NAME
    document = dataset_spec(form).model_dump(mode="json", exclude_defaults=True)
    with transaction.atomic():
        ModelEndpoint.objects.select_for_update().get(id=model.id)
        Dataset.objects.update_or_create(model=model, name=name, defaults={**own, "spec": document})
        pipeline = {"dataset": name, **training_spec(form).model_dump(mode="json")}
        PipelineConfiguration.objects.update_or_create(model=model, defaults={**own, "spec": pipeline})
        run = _held(start_pipeline(model, user, with_jobs=False))
        return run if not run.is_over else _held(start_pipeline(model, user, with_jobs=False))


def _held(run: PipelineRun) -> PipelineRun:
    """The run as it is now; nobody begins it before the settings are there to read."""
    return PipelineRun.objects.select_for_update().get(id=run.id)


def started_words(run: PipelineRun, first: bool) -> str:
    """What is true after saving."""
    if run.cancel_requested:
        return "Saved. The training under way is being stopped; press Train now after it to train with these settings."
    if run.status != PipelineRun.Status.PENDING:
        return (
            "Saved. A training with the earlier settings is under way. The next one uses these: "
            "press Train now when it has ended."
        )
    if first:
        return "Saved. The first training is under way. This page shows every step."
    return "Saved. A training with these settings is under way. This page shows every step."


def dropped_words(form: SetupForm) -> str:
    """That conditions nobody filled in were not kept; "" when there are none."""
    blank = sum(rule.blank for rule in form.rules)
    return f" {counted(blank, 'empty condition was', 'empty conditions were')} not kept." if blank else ""


def _columns(form: SetupForm) -> dict[str, str]:
    """The column of the dataset each role has, empty ones left out."""
    chosen = {role.name: role.chosen for role in form.roles if role.chosen}
    other = next((table for table in form.tables if table.name == form.product_table), None)
    for role in form.product_roles:
        if role.chosen:
            own = other is not None and role.chosen in other.columns
            chosen[role.name] = (
                joined_name(form.base, other, role.chosen, chosen.get("product", ""), form.product_key)
                if other is not None and own
                else role.chosen
            )
    return chosen


def _join(form: SetupForm, columns: dict[str, str], before: Join | None) -> Join | None:
    if not form.product_table:
        return None
    kind = before.kind if before is not None and before.table == form.product_table else "left"
    return Join(table=form.product_table, on={columns["product"]: form.product_key}, kind=kind)


def column_faults(form: SetupForm) -> list[BadInput]:
    """What is wrong about the chosen columns."""
    found = []
    for role in form.roles:
        if role.needed and not role.chosen:
            found.append(BadInput(f"{role.title} is missing.", field=role.name, advice="Choose its column."))
    for role in (*form.roles, *form.product_roles):
        if role.chosen and role.chosen not in role.choices:
            table = form.base.name if role in form.roles or not form.product_table else form.product_table
            told = f"{table} has no column “{role.chosen[:60]}” for it."
            found.append(
                BadInput(told, field=role.name, advice="Choose one." if role.needed else "Choose one or none.")
            )
    if form.product_table and form.product_key not in form.product_keys:
        told = f"Which column of {form.product_table} holds the product?"
        found.append(BadInput(told, field="product_key", advice="Choose one."))
    return [*found, *_shared(form)]


def _shared(form: SetupForm) -> list[BadInput]:
    """One column for two roles, said beside the later of the two."""
    columns, first_of, found = _columns(form), dict[str, RoleField](), []
    for role in (*form.roles, *form.product_roles):
        column = columns.get(role.name)
        if column is None:
            continue
        first = first_of.setdefault(column, role)
        if first is not role:
            advice = "Choose another column for one of them." if role.needed else "Choose another column, or none."
            found.append(
                BadInput(f"{first.title} and {role.title} are the same column.", field=role.name, advice=advice)
            )
    return found


def number_faults(form: SetupForm) -> list[BadInput]:
    """What is wrong about the numbers."""
    found = []
    for name, (title, least, most) in BOUNDS.items():
        text = str(getattr(form, name)).strip()
        advice = f"Give a {'' if name == 'top_share' else 'whole '}number from {least:,} to {most:,}."
        if not text:
            if name != "history_days" and not (name == "test_days" and form.test_share):
                found.append(BadInput(f"{title} is empty.", field=name, advice=advice))
        elif not _is_number(text, name == "top_share") or not least <= float(text) <= most:
            found.append(BadInput(f"{title} cannot be “{text[:40]}”.", field=name, advice=advice))
    return found


def _is_number(text: str, broken: bool) -> bool:
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,4})?" if broken else r"\d{1,9}", text, re.ASCII))
