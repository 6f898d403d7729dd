"""What each kind of failure is called, what to do about it in general, and whose it is to mend.

A run keeps its own words and advice, which speak of the very table or host; this table stands beside them, and in for
them where a process could say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE, SETTINGS, PLATFORM, NOBODY = "source", "settings", "platform", "nobody"
WHOSE = {
    SOURCE: "Whoever looks after the source can mend it.",
    SETTINGS: "Whoever set up the job, its connection or the model can mend it.",
    PLATFORM: "The operator of this platform can mend it.",
    NOBODY: "Nobody has to mend it: it was wished, or passes by itself.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of failure: its title, what to do, and whose it is (source, settings, platform, nobody)."""

    title: str
    advice: str
    whose: str

    @property
    def whose_words(self) -> str:
        """Whose it is to mend, for a page."""
        return WHOSE[self.whose]


FAULTS: dict[str, Fault] = {
    "bad_input": Fault("A setting cannot be used", "Change the setting that is named, then run again.", SETTINGS),
    "source_refused": Fault("The source refused", "Read what the source says and mend it there.", SOURCE),
    "authentication_refused": Fault(
        "User name or password refused", "Enter the user name and password again and test the connection.", SETTINGS
    ),
    "host_unknown": Fault("The host name has no address", "Check the spelling of the host name.", SETTINGS),
    "connection_refused": Fault(
        "Nothing answers at the address", "Check host and port, and that a firewall lets this platform in.", SOURCE
    ),
    "address_forbidden": Fault(
        "The address may not be reached from here",
        "Use a public address, or ask the operator of this installation to allow it.",
        SETTINGS,
    ),
    "database_missing": Fault("The database does not exist", "Correct the name of the database.", SETTINGS),
    "table_missing": Fault("The table does not exist", "Choose the table again, or put it back at the source.", SOURCE),
    "files_missing": Fault(
        "No file matches the pattern", "Put a file there, or correct the pattern or the connection's folder.", SOURCE
    ),
    "column_missing": Fault(
        "A chosen column is gone", "Choose the columns again, or put the column back at the source.", SOURCE
    ),
    "permission_missing": Fault(
        "The login may not read the table", "Let the login read it; the connection's page shows the statement.", SOURCE
    ),
    "connection_lost": Fault(
        "The connection broke while reading", "It is tried again by itself. Look at the network if it stays.", NOBODY
    ),
    "source_timeout": Fault(
        "The source did not answer in time", "It is tried again by itself. Run it when the source is less busy.", SOURCE
    ),
    "driver_missing": Fault("A driver is not installed here", "Install the package that is named.", PLATFORM),
    "schema_drift": Fault(
        "The source table has changed", "Look at the changes and accept them in the job, or undo them.", SETTINGS
    ),
    "job_changed": Fault(
        "The job was changed, and its table does not fit",
        "Set the job back, load into a new warehouse table, or copy the whole table each time.",
        SETTINGS,
    ),
    "type_held": Fault(
        "The job sets another type than its table holds",
        "Set the type back in the job, load into a new warehouse table, or copy the whole table each time.",
        SETTINGS,
    ),
    "too_many_rejected": Fault(
        "Too many rows cannot be loaded", "Look at the rejected rows, then change types or the threshold.", SETTINGS
    ),
    "not_reconciled": Fault(
        "Source and warehouse differ", "Run it again. If it stays, copy everything anew and compare.", PLATFORM
    ),
    "storage_full": Fault("The disk is full", "Make room where the warehouse is; it is tried again.", PLATFORM),
    "table_busy": Fault("Another process writes the table", "It is tried again by itself.", NOBODY),
    "query_too_long": Fault("The query took too long", "Ask for less, or let the operator raise the limit.", SETTINGS),
    "too_large_to_profile": Fault(
        "The table is too large for statistics", "Let the operator set aside more memory.", PLATFORM
    ),
    "too_large_to_compare": Fault(
        "The versions are too large to compare", "Let the operator set aside more memory.", PLATFORM
    ),
    "not_made": Fault("A fault of the platform", "Try again; the operator finds the cause in the log.", PLATFORM),
    "warehouse_table_missing": Fault("A table was never loaded", "Run the job that loads it.", SETTINGS),
    "empty_dataset": Fault("Nothing is left to learn from", "Loosen the filters of the dataset.", SETTINGS),
    "artifact_refused": Fault("A model file is damaged or missing", "Train again.", PLATFORM),
    "gate_refused": Fault("The model was not good enough", "Nothing to mend: the one in service stays.", NOBODY),
    "cancelled": Fault("Cancelled", "Run it again when you want it.", NOBODY),
    "fenced": Fault("Taken over by a newer attempt", "Nothing to do: the newer attempt goes on.", NOBODY),
    "died": Fault(
        "The process ended without a word",
        "Look at the log and at the machine's free memory, then run again.",
        PLATFORM,
    ),
    "handed_back": Fault(
        "The work could not be begun", "The operator finds in the worker's log why; then run again.", PLATFORM
    ),
    "unexpected": Fault("A fault of the platform", "Run it again; the operator finds the cause in the log.", PLATFORM),
    "failed": Fault("Failed", "Read the message and the log, then run again.", PLATFORM),
    "runtime_refused": Fault("The platform cannot work here", "The operator mends what is named.", PLATFORM),
    "setting_refused": Fault("A setting of the platform cannot be used", "The operator corrects it.", PLATFORM),
    "home_refused": Fault("The platform's folder cannot be used", "The operator mends the folder.", PLATFORM),
    "keys_refused": Fault("The platform's keys cannot be used", "The operator puts the right keys in place.", PLATFORM),
    "postgres_failed": Fault("The platform's database failed", "The operator looks at its log.", PLATFORM),
    "already_running": Fault("It runs already", "Nothing to do.", NOBODY),
    "port_taken": Fault("A port is taken", "The operator chooses another port.", PLATFORM),
    "database_unreachable": Fault(
        "The platform's database does not answer", "It is tried again by itself; the operator looks at it.", PLATFORM
    ),
    "secret_unreadable": Fault(
        "A stored secret cannot be opened", "Enter the password of the connection again.", SETTINGS
    ),
}


def fault_of(code: str) -> Fault | None:
    """What is known of a failure's code; None for a run that has none."""
    return FAULTS.get(code, FAULTS["failed"]) if code else None
