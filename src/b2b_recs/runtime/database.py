"""The control database: where it is, its four roles, and a URL for each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from b2b_recs.runtime.environment import envtext
from b2b_recs.runtime.errors import DatabaseUnreachable, SettingRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import Keys

VARIABLE = "DATABASE_URL"
DATABASE = "b2b_recs"
OWNER, WEB, WORKER, OPERATOR = "b2b_recs_owner", "b2b_recs_web", "b2b_recs_worker", "b2b_recs_operator"
_APPLICATION_ROLES = {"web": WEB, "worker": WORKER, "operator": OPERATOR}
_LOCK = 7_142_026


@dataclass(frozen=True, repr=False)
class ControlDatabase:
    """Connection parameters of the control database.

    ``base`` holds host, port, dbname and options without a login; ``owner_login`` and ``administrator`` are
    (user, password). The administrator creates roles: the superuser when embedded, the owner otherwise.
    """

    base: Mapping[str, str]
    owner_login: tuple[str, str]
    administrator: tuple[str, str]
    keys: Keys
    embedded: bool

    def __repr__(self) -> str:
        return f"<ControlDatabase {self.host}:{self.port}/{self.base['dbname']}>"

    @classmethod
    def embedded_at(cls, port: int, keys: Keys, database: str = DATABASE) -> ControlDatabase:
        """The database inside the embedded server on that port of 127.0.0.1."""
        base = {"host": "127.0.0.1", "port": str(port), "dbname": database}
        owner = (OWNER, keys.passwords["owner"])
        return cls(base, owner, ("postgres", keys.passwords["postgres"]), keys, True)

    @classmethod
    def at_url(cls, url: str, keys: Keys) -> ControlDatabase:
        """The database of an owner's URL. Raises SettingRefused when it is not a PostgreSQL URL."""
        try:
            if not url.startswith(("postgresql://", "postgres://")):
                raise ValueError
            parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
            user, host, database = parts.pop("user"), parts["host"], parts["dbname"]
        except (psycopg.Error, ValueError, KeyError):
            raise SettingRefused(
                f"{VARIABLE} is not a complete PostgreSQL address.",
                advice="Write it as postgresql://user:password@host:5432/database",
                field=VARIABLE,
            ) from None
        login = (user, parts.pop("password", ""))
        base = {**parts, "host": host, "port": parts.get("port", "5432"), "dbname": database}
        return cls(base, login, login, keys, False)

    @classmethod
    def current(cls, home: Home, keys: Keys, environ: Mapping[str, str] | None = None) -> ControlDatabase:
        """The database of ``DATABASE_URL``, otherwise the embedded one at the port it last used."""
        url = envtext(VARIABLE, "", environ)
        if url:
            return cls.at_url(url, keys)
        try:
            port = int(json.loads((home.postgres / "cluster.json").read_text("utf-8"))["port"])
        except (OSError, ValueError, KeyError, TypeError):
            raise DatabaseUnreachable(
                f"There is no database in {home.root} yet.", advice="Create it with: b2b-recs up"
            ) from None
        return cls.embedded_at(port, keys)

    @property
    def host(self) -> str:
        return self.base["host"]

    @property
    def port(self) -> int:
        return int(self.base["port"])

    @property
    def owner(self) -> str:
        """URL of the role that owns the tables; for migrations only."""
        return self.url(*self.owner_login)

    @property
    def web(self) -> str:
        """URL of the role of pages and API; row-level security applies."""
        return self.url(WEB, self.keys.passwords["web"])

    @property
    def worker(self) -> str:
        """URL of the role of jobs; row-level security applies."""
        return self.url(WORKER, self.keys.passwords["worker"])

    @property
    def operator(self) -> str:
        """URL of the role whose policies show every organization: admin, dispatcher of schedules."""
        return self.url(OPERATOR, self.keys.passwords["operator"])

    def login(self, role: str) -> tuple[str, str]:
        """User and password of ``owner``, ``web``, ``worker`` or ``operator``."""
        return self.owner_login if role == "owner" else (_APPLICATION_ROLES[role], self.keys.passwords[role])

    def url(self, user: str, password: str, database: str | None = None) -> str:
        """A ``postgresql://`` URL for a login."""
        options = {name: value for name, value in self.base.items() if name not in ("host", "port", "dbname")}
        name = quote(database or self.base["dbname"], safe="")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}" if password else quote(user, safe="")
        if self.host.startswith(("/", "@")) or "," in self.host:
            query = urlencode({"host": self.host, "port": self.base["port"], **options}, quote_via=quote)
            return f"postgresql://{login}@/{name}?{query}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = f"?{urlencode(options, quote_via=quote)}" if options else ""
        return f"postgresql://{login}@{host}:{self.port}/{name}{query}"

    def django(self, role: str) -> dict[str, Any]:
        """NAME, USER, PASSWORD, HOST, PORT and OPTIONS for a Django database entry of that role."""
        user, password = self.login(role)
        options = {name: value for name, value in self.base.items() if name not in ("host", "port", "dbname")}
        return {
            "NAME": self.base["dbname"], "USER": user, "PASSWORD": password,
            "HOST": self.host, "PORT": self.base["port"], "OPTIONS": options,
        }  # fmt: skip

    def ensure(self) -> None:
        """Create or mend the roles, the database and the default privileges; safe to repeat and to race.

        Raises DatabaseUnreachable with the server's words, or with the SQL an administrator has to run.
        """
        try:
            if self.embedded:
                self._ensure_embedded_database()
            with self._connect(self.administrator, self.base["dbname"]) as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                for role in _APPLICATION_ROLES:
                    self._ensure_role(connection, *self.login(role))
                self._grant(connection)
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseUnreachable(
                f"The login {self.administrator[0]} may not create the roles of the application: {_words(error)}",
                advice=f"Run as an administrator: ALTER ROLE {self.administrator[0]} CREATEROLE;",
                field=VARIABLE,
                transient=False,
            ) from error
        except psycopg.Error as error:
            raise self._unreachable(error) from error

    def check(self, role: str = "web") -> str:
        """The server's version, after a real login of that role. Raises DatabaseUnreachable."""
        try:
            with self._connect(self.login(role), self.base["dbname"]) as connection:
                row = connection.execute("SHOW server_version").fetchone()
                return str(row[0]) if row else ""
        except psycopg.Error as error:
            raise self._unreachable(error) from error

    def _connect(self, login: tuple[str, str], database: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self.url(*login, database=database), connect_timeout=10, application_name="b2b-recs set-up"
        )

    def _ensure_embedded_database(self) -> None:
        with self._connect(self.administrator, "postgres") as connection:
            connection.autocommit = True
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            self._ensure_role(connection, *self.owner_login)
            name = self.base["dbname"]
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(name), sql.Identifier(self.owner_login[0])
                    )
                )

    def _ensure_role(self, connection: psycopg.Connection[Any], user: str, password: str) -> None:
        """Create the role without any power of its own, or set its password when it no longer logs in."""
        role = sql.Identifier(user)
        found = connection.execute(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR NOT rolcanlogin"
            " FROM pg_roles WHERE rolname = %s",
            (user,),
        ).fetchone()
        powers = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
        # Only a superuser may name these two powers in ALTER ROLE; a fresh role never has them.
        if not found:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD {}").format(role, sql.Literal(password))
            )
            return
        if found[0]:
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(role, powers))
        if not self._logs_in(user, password):
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))

    def _logs_in(self, user: str, password: str) -> bool:
        try:
            psycopg.connect(self.url(user, password), connect_timeout=10).close()
        except psycopg.errors.InvalidPassword:
            return False
        except psycopg.OperationalError as error:
            return "password authentication failed" not in str(error)
        return True

    def _grant(self, connection: psycopg.Connection[Any]) -> None:
        """Let the application's roles use what the owner creates; narrower rights are set by migrations."""
        owner = sql.Identifier(self.owner_login[0])
        database = sql.Identifier(self.base["dbname"])
        roles = sql.SQL(", ").join(sql.Identifier(name) for name in _APPLICATION_ROLES.values())
        statements = [
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database),
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, roles),
            sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(roles),
        ]
        default = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT").format(owner)
        for rights in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT ON SEQUENCES"):
            statements.append(sql.SQL("{} {} TO {}").format(default, sql.SQL(rights), roles))
        for statement in statements:
            connection.execute(statement)

    def _unreachable(self, error: psycopg.Error) -> DatabaseUnreachable:
        if isinstance(error, psycopg.errors.InvalidPassword) or "password authentication" in str(error):
            advice = f"Check user and password in {VARIABLE}." if not self.embedded else "Run: b2b-recs up"
        else:
            advice = "Start it with: b2b-recs up" if self.embedded else f"Check {VARIABLE} and the server."
        return DatabaseUnreachable(
            f"The control database at {self.host}:{self.port} does not let us in: {_words(error)}",
            advice=advice,
            field=None if self.embedded else VARIABLE,
        )


def _words(error: psycopg.Error) -> str:
    """The last line the server said; libpq never repeats a password."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0].rstrip(".") + "."


def configured_externally(environ: Mapping[str, str] | None = None) -> bool:
    """Whether ``DATABASE_URL`` replaces the embedded database."""
    return bool(envtext(VARIABLE, "", os.environ if environ is None else environ))
