"""What the connection form of SQLite asks for."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from b2b_recs.engine.sources.fields import SourceParameters
from b2b_recs.engine.sources.files.locations import PlainPath
from b2b_recs.engine.sources.form_help import FormHelp


class SQLiteParameters(SourceParameters):
    """The file, and nothing that would be passed on to the engine."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="Let the file be read",
        grants="The operator runs this on the machine of this installation. Nothing here ever writes to the file.",
        reach="The file lies on the machine of this installation; no address has to be reachable.",
        notes=("The file is opened to be read only; a program may go on writing to it.",),
    )

    file: PlainPath = Field(
        title="File",
        description="A database file in a folder that the operator allowed (B2B_RECS_FILE_FOLDERS), "
        "such as shop/orders.db.",
        max_length=1000,
    )
