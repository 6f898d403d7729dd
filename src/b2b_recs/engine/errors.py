"""Every refusal the engine can make: what happened, to what, and what to do about it."""

from __future__ import annotations

from typing import ClassVar


class EngineError(Exception):
    """A refusal or a failure with advice.

    ``message`` says what happened and to what, ``advice`` what to do; ``field`` names the setting at
    fault when there is one; ``transient`` tells the queue whether the same attempt may work later.
    """

    code: ClassVar[str] = "failed"
    default_transient: ClassVar[bool] = False

    def __init__(
        self, message: str, *, advice: str = "", field: str | None = None, transient: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.field = field
        self.transient = self.default_transient if transient is None else transient

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class BadInput(EngineError):
    """A value given by the user cannot be used; ``field`` names it, and ``column`` the table's column it is about."""

    code = "bad_input"

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        field: str | None = None,
        transient: bool | None = None,
        column: str = "",
    ) -> None:
        super().__init__(message, advice=advice, field=field, transient=transient)
        self.column = column


class SourceRefused(EngineError):
    """The source was reached and said no, or could not be reached at all."""

    code = "source_refused"


class AuthenticationRefused(SourceRefused):
    """The user name or password was refused."""

    code = "authentication_refused"


class HostUnknown(SourceRefused):
    """The host name has no address."""

    code = "host_unknown"


class ConnectionRefused(SourceRefused):
    """Nothing listens on the port, or a firewall is in the way."""

    code = "connection_refused"


class AddressForbidden(SourceRefused):
    """The outgoing guard refused the address."""

    code = "address_forbidden"


class DatabaseMissing(SourceRefused):
    """The server has no database of that name."""

    code = "database_missing"


class TableMissing(SourceRefused):
    """The table is not there, or was dropped while it was read."""

    code = "table_missing"


class FilesMissing(TableMissing):
    """No file matches the pattern that a table of files is."""

    code = "files_missing"


class ColumnMissing(SourceRefused):
    """A chosen column is no longer in the table."""

    code = "column_missing"


class PermissionMissing(SourceRefused):
    """The login may not read the table."""

    code = "permission_missing"


class ConnectionLost(SourceRefused):
    """The connection broke in the middle of reading."""

    code = "connection_lost"
    default_transient = True


class SourceTimeout(SourceRefused):
    """The source did not answer in time."""

    code = "source_timeout"
    default_transient = True


class DriverMissing(EngineError):
    """The vendor's driver for this source type is not installed here."""

    code = "driver_missing"


class SchemaDrift(EngineError):
    """The source table changed and the job's policy is to stop and ask."""

    code = "schema_drift"


class TypeHeld(SchemaDrift):
    """The job sets a column to another type than its warehouse table holds."""

    code = "type_held"


class JobChanged(SchemaDrift):
    """The job was changed, and the rows loaded before cannot be made to fit."""

    code = "job_changed"


class TooManyRejected(EngineError):
    """More rows were rejected than the job allows; nothing was committed."""

    code = "too_many_rejected"


class NotReconciled(EngineError):
    """The counts of source and warehouse differ after the load."""

    code = "not_reconciled"


class StorageFull(EngineError):
    """The disk has no room left."""

    code = "storage_full"
    default_transient = True


class WarehouseTableMissing(EngineError):
    """A dataset or a read names a warehouse table that has never been loaded."""

    code = "warehouse_table_missing"


class EmptyDataset(EngineError):
    """Nothing is left to learn from after joins and filters."""

    code = "empty_dataset"


class ArtifactRefused(EngineError):
    """A model artifact is missing, damaged, or holds something other than arrays."""

    code = "artifact_refused"


class GateRefused(EngineError):
    """The gate did not let a model into service."""

    code = "gate_refused"


class Cancelled(EngineError):
    """Someone asked for the run to stop."""

    code = "cancelled"


class Fenced(EngineError):
    """A newer attempt has taken over this run; this one must not write any more."""

    code = "fenced"
