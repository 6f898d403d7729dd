"""What the connection form of PostgreSQL asks for."""

from __future__ import annotations

from typing import ClassVar

from b2b_recs.engine.sources.form_help import ENCRYPTED, FormHelp, server_reach
from b2b_recs.engine.sources.server_parameters import ServerParameters, port_field


class PostgreSQLParameters(ServerParameters):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this in the database as its owner, with a password of your own. Nothing here ever writes to it.",
        reach=server_reach(5432, "pg_hba.conf must have a line for that address, too."),
        notes=(ENCRYPTED,),
    )

    port: int = port_field(5432)
