"""MySQL and MariaDB: one family of servers, two declarations, read as exact text and cast in Arrow."""

from b2b_recs.engine.sources.mysql.declarations import MariaDB, MySQL

__all__ = ["MariaDB", "MySQL"]
