"""The control database: four roles without powers of their own."""

from __future__ import annotations

import psycopg
import pytest

from b2b_recs.runtime.database import OPERATOR, OWNER, WEB, WORKER, ControlDatabase
from b2b_recs.runtime.errors import DatabaseUnreachable, SettingRefused
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.keys import ROLES, Keys, load_keys

SERVER_KEYS = "9f3a5c7e1b2d4f60a8c9e7b5d3f1a2c4"


@pytest.fixture
def control(role_server, tmp_path):
    keys = load_keys(Home(tmp_path), environ={"B2B_RECS_SECRET_KEY": SERVER_KEYS})
    keys = Keys(keys.django_secret, keys.ring, {**keys.passwords, "postgres": role_server.password})
    database = ControlDatabase.embedded_at(role_server.port, keys, "control_test")
    yield database
    role_server.drop_database("control_test")


def test_roles_have_no_powers_and_the_owner_owns_the_database(control, role_server):
    control.ensure()
    control.ensure()
    with psycopg.connect(role_server.url()) as connection:
        powers = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname LIKE 'b2b_recs_%' ORDER BY 1"
        ).fetchall()
        owner = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'control_test'"
        ).fetchone()
    assert powers == [(name, False, False, False, False) for name in sorted((OPERATOR, OWNER, WEB, WORKER))]
    assert owner == (OWNER,)
    assert control.check("web").startswith("18")


def test_application_roles_use_what_the_owner_creates_but_create_nothing(control):
    control.ensure()
    with psycopg.connect(control.owner) as connection:
        connection.execute("CREATE TABLE things (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
    for url in (control.web, control.worker, control.operator):
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO things (name) VALUES ('x')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE mine (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(url) as connection:
            connection.execute("ALTER TABLE things ADD COLUMN mine int")


def test_changed_password_and_stolen_powers_are_mended(control, role_server):
    control.ensure()
    role_server.execute("ALTER ROLE b2b_recs_web BYPASSRLS PASSWORD 'other'")
    with pytest.raises(DatabaseUnreachable):
        control.check("web")
    control.ensure()
    assert control.check("web")
    with psycopg.connect(control.web) as connection:
        row = connection.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (False,)


def test_external_database_gets_its_roles_through_the_owner(control, role_server, tmp_path):
    role_server.execute("CREATE ROLE landlord LOGIN CREATEROLE PASSWORD 'rent'")
    try:
        role_server.execute("CREATE DATABASE control_test OWNER landlord")
        url = role_server.url("control_test", "landlord", "rent")
        for role in (WEB, WORKER, OPERATOR):
            role_server.execute(f"DROP ROLE IF EXISTS {role}")
        external = ControlDatabase.at_url(url, control.keys)
        external.ensure()
        external.ensure()
        assert external.check("worker")
    finally:
        role_server.drop_database("control_test")
        for role in (WEB, WORKER, OPERATOR, "landlord"):
            role_server.execute(f"DROP ROLE IF EXISTS {role}")


def test_owner_without_the_right_to_create_roles_is_told_what_to_run(control, role_server):
    role_server.execute("CREATE ROLE tenant LOGIN PASSWORD 'rent'")
    try:
        role_server.execute("CREATE DATABASE control_test OWNER tenant")
        for role in (WEB, WORKER, OPERATOR):
            role_server.execute(f"DROP ROLE IF EXISTS {role}")
        with pytest.raises(DatabaseUnreachable, match="ALTER ROLE tenant CREATEROLE"):
            ControlDatabase.at_url(role_server.url("control_test", "tenant", "rent"), control.keys).ensure()
    finally:
        role_server.drop_database("control_test")
        role_server.execute("DROP ROLE tenant")


def test_address_with_options_and_odd_passwords_keeps_them(control):
    database = ControlDatabase.at_url("postgresql://me:p%40ss%2F@db.example.com/shop?sslmode=require", control.keys)
    assert database.owner == "postgresql://me:p%40ss%2F@db.example.com:5432/shop?sslmode=require"
    assert "sslmode=require" in database.web
    assert database.django("owner")["OPTIONS"] == {"sslmode": "require"}
    socket = ControlDatabase.at_url("postgresql://me@/shop?host=/cloudsql/x", control.keys)
    assert psycopg.conninfo.conninfo_to_dict(socket.web)["host"] == "/cloudsql/x"
    assert "p@ss" not in repr(database)


@pytest.mark.parametrize("url", ["mysql://a:b@c/d", "nonsense", "postgresql://host/db", "postgresql://u:p@:bad/x"])
def test_address_that_is_none_is_refused_without_repeating_it(control, url):
    with pytest.raises(SettingRefused) as caught:
        ControlDatabase.at_url(url, control.keys)
    assert caught.value.field == "DATABASE_URL"
    assert url not in str(caught.value)


def test_server_that_is_gone_is_named(control):
    gone = ControlDatabase.embedded_at(1, control.keys)
    with pytest.raises(DatabaseUnreachable, match=r"127\.0\.0\.1:1"):
        gone.check()
    assert set(ROLES) == set(control.keys.passwords)
