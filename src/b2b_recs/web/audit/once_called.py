"""Which models, jobs and datasets are or were called so: asked once for a search, whatever kinds it looks into.

A name stands in every entry of its object, and an object has up to a hundred thousand. So the index of objects with
their names is not read through but entered once for each object and each name it had.
"""

from __future__ import annotations

from functools import cached_property

from django.db import connection

from b2b_recs.web.datasets.models import Dataset
from b2b_recs.web.etl.models import DataSource
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import required

TABLES = {
    ModelEndpoint: "projects_modelendpointevent",
    DataSource: "etl_datasourceevent",
    Dataset: "datasets_datasetevent",
}
# The next object or name after the one before, found by the index (organization, object, name).
_WALK = """
{table}_names AS (
    (SELECT pgh_obj_id, name FROM {table} WHERE organization_id = %(organization)s ORDER BY pgh_obj_id, name LIMIT 1)
    UNION ALL
    SELECT following.pgh_obj_id, following.name FROM {table}_names AS last, LATERAL (
        SELECT pgh_obj_id, name FROM {table}
        WHERE organization_id = %(organization)s AND (pgh_obj_id, name) > (last.pgh_obj_id, last.name)
        ORDER BY pgh_obj_id, name LIMIT 1
    ) AS following
)"""
_FOUND = "SELECT DISTINCT '{table}', pgh_obj_id FROM {table}_names WHERE upper(name) LIKE upper(%(pattern)s)"
_QUERY = "WITH RECURSIVE {walks} {found}".format(
    walks=",".join(_WALK.format(table=table) for table in TABLES.values()),
    found=" UNION ALL ".join(_FOUND.format(table=table) for table in TABLES.values()),
)


class Words:
    """The words of a search, with the ids of what is or was called so. Use it inside one scope."""

    def __init__(self, text: str) -> None:
        self.text = text

    def ids_of(self, model: type) -> list[int]:
        """The models, jobs or datasets that the words name; the first question for any of them asks for all."""
        return self._found[TABLES[model]]

    @cached_property
    def _found(self) -> dict[str, list[int]]:
        pattern = "".join(f"\\{sign}" if sign in "\\%_" else sign for sign in self.text)
        found: dict[str, list[int]] = {table: [] for table in TABLES.values()}
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, {"organization": required(), "pattern": f"%{pattern}%"})
            for table, number in cursor.fetchall():
                found[table].append(number)
        return found
