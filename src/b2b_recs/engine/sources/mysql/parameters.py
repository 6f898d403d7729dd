"""What the connection forms of MySQL and MariaDB ask for."""

from __future__ import annotations

from typing import ClassVar

from b2b_recs.engine.sources.fields import Text
from b2b_recs.engine.sources.form_help import ENCRYPTED, FormHelp, server_reach
from b2b_recs.engine.sources.server_parameters import ServerParameters, database_field, login_field, port_field


class MySQLParameters(ServerParameters):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    form_help: ClassVar[FormHelp] = FormHelp(
        heading="A login that may only read",
        grants="Run this on the server as an administrator, with a password of your own. Nothing here ever writes to "
        "it.",
        reach=server_reach(3306, "In place of '%' the login may name that address alone."),
        notes=(ENCRYPTED,),
    )

    port: int = port_field(3306)
    database: Text = database_field(64)
    username: Text = login_field(128)
