"""Known failures of other systems, as they would look here: what is typed into a connection, and what a source does."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import Any

import psutil
import psycopg
import pytest
from contract.postgresql_arena import PostgreSQLArena, dial
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from tenant_rows import Tenant

from b2b_recs.engine.errors import AddressForbidden, BadInput, EngineError
from b2b_recs.engine.sources.postgresql.connection import conninfo
from b2b_recs.engine.sources.postgresql.parameters import PostgreSQLParameters
from b2b_recs.engine.sources.registry import SOURCE_TYPES, open_source, parse_parameters
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.web.connections import services
from b2b_recs.web.connections.models import Connection
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

GOOD = {"host": "db.example.com", "database": "shop", "username": "reader", "password": "x"}
OPTIONS = [
    "url", "uri", "dsn", "conninfo", "options", "service", "servicefile", "passfile", "hostaddr", "sslkey", "sslcert",
    "sslrootcert", "sslpassword", "sslmode", "krbsrvname", "gsslib", "load_balance_hosts", "target_session_attrs",
    "driver", "sqlalchemy_uri", "autocommit", "connect_timeout", "Host", "PASSWORD", "host ", "__class__", "",
]  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_drivers_cannot_be_given(name: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_parameters("postgresql", {**GOOD, name: "/etc/passwd"})
    assert refused.value.field == (name or None)
    assert "passwd" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    ["postgresql://db.example.com", "postgres://evil@db", "db.example.com:5432", "db.example.com/other", "a,b",
     "/var/run/postgresql", "@abstract", "\\\\server\\share", "file:///etc/passwd", "jar:file:x", "db?sslmode=disable",
     "db#x", "db host=evil", "db'", "db\x00", "db\n", " db", "", "-db", "[::1]:5432", "fe80::1%eth0/../..", "user@db"],
)  # fmt: skip
def test_a_host_is_a_host_and_nothing_else(host: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_parameters("postgresql", {**GOOD, "host": host})
    assert refused.value.field == "host"


@pytest.mark.parametrize("field", sorted(PostgreSQLParameters.model_fields))
@given(
    value=st.none() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()) | st.binary() | st.just(float("nan"))
)
def test_a_value_of_another_kind_is_refused_by_its_field(field: str, value: Any) -> None:
    try:
        parse_parameters("postgresql", {**GOOD, field: value})
    except BadInput as refused:
        assert refused.field == field
    else:
        # Bytes that are text are taken as that text.
        assert isinstance(value, bytes)


@given(
    name=st.text(max_size=20)
    | st.sampled_from(["POSTGRESQL", "postgresql\x00", " postgresql", "postgresql+psycopg2", "рostgresql"])
)
def test_a_type_is_matched_exactly(name: str) -> None:
    if name not in SOURCE_TYPES:
        with pytest.raises(BadInput) as refused:
            open_source(name, GOOD, _never)
        assert refused.value.field == "type"


def _never(host: str, port: int) -> str:
    raise AssertionError(f"{host} was dialled")


TRICKY = st.text(
    st.sampled_from("ab '\\=\"\t\n;&?%@:/") | st.characters(exclude_characters="\x00", codec="utf-8"),
    min_size=1,
    max_size=60,
)


@settings(max_examples=300)
@given(
    database=TRICKY
    | st.sampled_from(["postgresql://evil/x", "dbname=x host=evil", "x' host='evil", "x\\' host=evil '"]),
    username=TRICKY,
    password=TRICKY | st.sampled_from(["' host='evil", "\\", "\\'", "x' sslmode='disable"]),
    mode=st.sampled_from(["disable", "prefer", "require", "verify-full"]),
)
def test_nothing_typed_becomes_another_option(database: str, username: str, password: str, mode: Any) -> None:
    parameters = PostgreSQLParameters(
        host="db.example.com", database=database, username=username, password=password, ssl_mode=mode
    )  # type: ignore[arg-type]
    read = conninfo_to_dict(conninfo(parameters, "203.0.113.7"))
    assert (read["dbname"], read["user"], read["password"]) == (database, username, password)
    assert (read["host"], read["hostaddr"], read["sslmode"]) == ("db.example.com", "203.0.113.7", mode)
    plain = conninfo_to_dict(conninfo(parameters.model_copy(update={"database": "d", "username": "u"}), "203.0.113.7"))
    assert set(read) == set(plain)


def test_a_database_name_is_not_read_as_an_address(arena: PostgreSQLArena) -> None:
    host, port = arena.server.host, arena.server.port
    for name in (f"postgresql://{host}:{port}/postgres", f"dbname=postgres host={host}", "host=127.0.0.1 port=1"):
        with pytest.raises(EngineError) as refused:
            arena.open(database=name)
        assert "does not exist" in str(refused.value) or "no database" in str(refused.value), str(refused.value)


# --- reading only ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arena(postgres_server: Any) -> PostgreSQLArena:
    """A source whose owner is malicious: views that try to write with the reader's session."""
    made = PostgreSQLArena(postgres_server, "hostile")
    made.execute(
        "CREATE TABLE ledger (id integer PRIMARY KEY)",
        "INSERT INTO ledger VALUES (1)",
        "GRANT ALL ON ledger TO reader",
        *(
            f"CREATE FUNCTION {name}() RETURNS integer LANGUAGE plpgsql VOLATILE AS $$ BEGIN {body} RETURN 1; END $$"
            for name, body in TRICKS.items()
        ),
        *(f"CREATE VIEW view_{name} AS SELECT {name}() AS id" for name in TRICKS),
    )
    return made


TRICKS = {
    "deletes": "DELETE FROM public.ledger;",
    "unlocks": "PERFORM set_config('transaction_read_only', 'off', false); DELETE FROM public.ledger;",
    "unlocks_later": "PERFORM set_config('default_transaction_read_only', 'off', false);"
    " PERFORM set_config('session_characteristics', 'x', true); DELETE FROM public.ledger;",
    "commits": "COMMIT; DELETE FROM public.ledger;",
    "calls": "EXECUTE 'BEGIN READ WRITE; DELETE FROM public.ledger; COMMIT';",
    "copies": "COPY public.ledger FROM PROGRAM 'echo 7';",
}
NAMES = [
    'ledger"; DELETE FROM public.ledger; --', "ledger; COMMIT; DELETE FROM public.ledger", "pg_sleep(60)", "ledger\\",
    "pg_read_file('/etc/passwd')", "(DELETE FROM ledger RETURNING *)", "ledger) TO PROGRAM 'id'", "ledger'--",
    "$$; ROLLBACK; DELETE FROM ledger; $$", "ledger /* ", "public.ledger", '"ledger"',
]  # fmt: skip


@pytest.mark.parametrize("trick", sorted(TRICKS))
def test_a_view_of_the_source_cannot_make_our_session_write(arena: PostgreSQLArena, trick: str) -> None:
    with arena.open() as source:
        for _ in range(2):
            with pytest.raises(EngineError):
                source.samples("public", f"view_{trick}", ["id"])
        assert source.samples("public", "ledger", ["id"]) == {"id": ["1"]}
        session = source._session  # type: ignore[attr-defined]
        assert session.query("SELECT current_setting('transaction_read_only')") == [("on",)]
    assert arena.rows("SELECT id FROM ledger") == [(1,)]


@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_ever_carried_out(arena: PostgreSQLArena, name: str) -> None:
    with arena.open() as source:
        for schema, table, column in (("public", name, "id"), (name, "ledger", "id"), ("public", "ledger", name)):
            with pytest.raises(EngineError):
                source.samples(schema, table, [column])
            with pytest.raises(EngineError):
                source.max_cursor(schema, table, column)
            with contextlib.suppress(EngineError):
                assert source.columns(schema, table) == [] or table == "ledger"
        assert source.samples("public", "ledger", ["id"]) == {"id": ["1"]}
    assert arena.rows("SELECT id FROM ledger") == [(1,)]


# --- the own database ----------------------------------------------------------------------------------------------


def _spellings() -> list[str]:
    """Every way to write this machine that somebody thought of."""
    own = {entry.address.split("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    addresses = []
    for text in sorted(own):  # every process of a parallel run must list the same cases
        with contextlib.suppress(ValueError):
            addresses.append(str(ipaddress.ip_address(text)))
    names = ["localhost", "LOCALHOST", "localhost.", "LocalHost.", socket.gethostname()]
    odd = ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "127.255.255.254", "0", "0.0.0.0", "::"]
    mapped = ["::1", "[::1]", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0.0.0.0"]
    return list(dict.fromkeys(["127.0.0.1", *names, *odd, *mapped, *addresses]))


@pytest.mark.parametrize("host", _spellings())
@pytest.mark.parametrize("own", ["127.0.0.1", "localhost", "::1", "/var/run/postgresql"])
def test_the_own_database_is_no_source_however_it_is_written(host: str, own: str) -> None:
    guard = OutgoingGuard(enabled=False, own=[(own, 6543)])
    with pytest.raises(EngineError) as refused:
        guard(host, 6543)
    assert refused.value.field == "host"  # type: ignore[attr-defined]


def test_a_connection_saved_without_a_test_is_refused_when_it_is_used(acme: Tenant, monkeypatch: Any) -> None:
    guard = OutgoingGuard(enabled=False, own=[("127.0.0.1", 6543)])
    monkeypatch.setattr(services, "guard", lambda: guard)
    with scope(acme.id):
        model = ModelEndpoint.objects.get(id=acme.id_of("ModelEndpoint"))
        saved, _ = services.save_connection(model, "innocent", "postgresql", GOOD)
        services.save_connection(model, "innocent", "postgresql", {**GOOD, "host": "localhost", "port": 6543})
        saved.refresh_from_db()
        with pytest.raises(AddressForbidden) as refusal:
            services.opener(saved)()
        services.note_use(acme.id, saved.id, str(refusal.value))  # as a run does
        saved.refresh_from_db()
        assert saved.last_test_status == Connection.TestStatus.FAILED
        assert "127.0.0.1" not in saved.last_test_message and "x" not in saved.parameters.values()


def test_saving_checks_as_opening_does(acme: Tenant) -> None:
    with scope(acme.id):
        model = ModelEndpoint.objects.get(id=acme.id_of("ModelEndpoint"))
        before = Connection.objects.count()
        for source_type, change, field in (
            ("postgresql", {"host": "postgresql://x"}, "host"),
            ("postgresql", {"options": "-c x"}, "options"),
            ("duckdb", {}, "type"),
            ("PostgreSQL", {}, "type"),
        ):
            with pytest.raises(BadInput) as refused:
                services.save_connection(model, "odd", source_type, {**GOOD, **change})
            assert refused.value.field == field
        assert Connection.objects.count() == before


def test_the_tricks_do_work_for_somebody_who_may_write(arena: PostgreSQLArena) -> None:
    with psycopg.connect(arena.server.url("hostile")) as owner:
        owner.execute("SELECT * FROM view_deletes")
        assert owner.execute("SELECT count(*) FROM ledger").fetchone() == (0,)
        owner.rollback()
    assert dial(arena.server.host, arena.server.port)
