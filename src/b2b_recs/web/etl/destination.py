"""Which warehouse table a new job is proposed: one that no other job fills. Call inside the organization's scope."""

from __future__ import annotations

from itertools import count

from b2b_recs.engine.etl.spec import CopySpec
from b2b_recs.web.etl.models import DataSourceTable, ETLConfiguration

LONGEST = 128
_DATASET = CopySpec.model_fields["destination_dataset"].default


def free_destination(configuration: ETLConfiguration, wanted: str, but: int | None = None) -> str:
    """The name itself where no job of the model fills that table, else the first free of name_2, name_3 and so on.

    ``but`` is the id of the job that is to have it.
    """
    others = DataSourceTable.objects.filter(data_source__configuration=configuration, data_source__draft=False)
    taken = {
        str(spec.get("destination_table", "")).casefold()
        for spec in others.exclude(data_source_id=but).values_list("spec", flat=True)
        if spec.get("destination_dataset", _DATASET) == _DATASET
    }
    if wanted.casefold() not in taken:
        return wanted
    numbered = (f"{wanted[: LONGEST - len(f'_{number}')]}_{number}" for number in count(2))
    return next(name for name in numbered if name.casefold() not in taken)
