"""Step 1: what a job is called, and which connection it reads from."""

from __future__ import annotations

from django.http import QueryDict

from b2b_recs.engine.errors import BadInput
from b2b_recs.engine.several import Collected, together
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.etl.jobs import refuse_taken_name
from b2b_recs.web.etl.models import ETLConfiguration
from b2b_recs.web.names import refuse_bad_name


def named(typed: QueryDict, configuration: ETLConfiguration, own: int | None) -> tuple[str, Connection]:
    """The name and the connection somebody chose; ``own`` is the id of a job that has a name already.

    Raises BadInput naming the field, Several when neither can be. Call inside the scope.
    """
    name, faults = typed.get("name", "").strip(), Collected()
    with faults.part():
        refuse_bad_name(name, "a job")
        refuse_taken_name(configuration, name, own)
    connection = _connection(typed.get("connection", ""), configuration.model_id)
    if connection is None:
        faults.found.append(BadInput("No connection is chosen.", field="connection", advice="Choose one."))
        raise together(faults.found)
    faults.refuse()
    return name, connection


def _connection(chosen: str, model_id: int) -> Connection | None:
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        return None
    return Connection.objects.filter(model_id=model_id, id=int(chosen)).first()
