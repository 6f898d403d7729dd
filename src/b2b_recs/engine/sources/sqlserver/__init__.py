"""SQL Server: parameters, connection, discovery, the generated SELECT, and reading as Arrow."""

from b2b_recs.engine.sources.sqlserver.declaration import SQLServer

__all__ = ["SQLServer"]
