"""What the connection forms of MySQL and MariaDB ask for."""

from __future__ import annotations

from b2b_recs.engine.sources.fields import Text
from b2b_recs.engine.sources.server_parameters import ServerParameters, database_field, login_field, port_field


class MySQLParameters(ServerParameters):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    port: int = port_field(3306)
    database: Text = database_field(64)
    username: Text = login_field(128)
