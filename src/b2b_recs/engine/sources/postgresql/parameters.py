"""What the connection form of PostgreSQL asks for."""

from __future__ import annotations

from b2b_recs.engine.sources.server_parameters import ServerParameters, port_field


class PostgreSQLParameters(ServerParameters):
    """Typed fields only: no address string, no driver options, nothing passed through."""

    port: int = port_field(5432)
