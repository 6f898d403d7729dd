"""Refusals of the runtime: each says what happened, to what, and what to do."""

from __future__ import annotations

from b2b_recs.engine.errors import EngineError


class RuntimeRefused(EngineError):
    """The installation cannot start or go on as it is."""

    code = "runtime_refused"


class SettingRefused(RuntimeRefused):
    """An environment variable holds a value that cannot be used; ``field`` names the variable."""

    code = "setting_refused"


class HomeRefused(RuntimeRefused):
    """The home folder cannot be created, read or written."""

    code = "home_refused"


class KeysRefused(RuntimeRefused):
    """The keys of this installation are missing, too short, well known or readable by others."""

    code = "keys_refused"


class PostgresFailed(RuntimeRefused):
    """The embedded PostgreSQL cannot be created or started."""

    code = "postgres_failed"


class AlreadyRunning(RuntimeRefused):
    """Another process of this installation holds what this one needs."""

    code = "already_running"


class PortTaken(RuntimeRefused):
    """Another program listens on a port this installation needs."""

    code = "port_taken"


class DatabaseUnreachable(RuntimeRefused):
    """The control database does not answer or refuses the login."""

    code = "database_unreachable"
    default_transient = True


class SecretUnreadable(RuntimeRefused):
    """A stored secret does not open: another tenant's, damaged, or its key is gone."""

    code = "secret_unreadable"
