"""The embedded PostgreSQL survives what machines do to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from b2b_recs.engine.errors import StorageFull
from b2b_recs.runtime import postgres_binaries
from b2b_recs.runtime.errors import AlreadyRunning, PostgresFailed, SettingRefused
from b2b_recs.runtime.postgres import EmbeddedPostgres
from b2b_recs.runtime.postgres_binaries import Account, packaged
from b2b_recs.runtime.postgres_refusals import from_words
from b2b_recs.runtime.process import ProcessIdentity

PASSWORD = "0123456789abcdef0123456789abcdef"


def test_server_answers_with_scram_checksums_and_builtin_locale(postgres_server):
    with psycopg.connect(postgres_server.url()) as connection:
        rows = connection.execute(
            "SELECT current_setting('password_encryption'), current_setting('data_checksums'),"
            " datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert rows == ("scram-sha-256", "on", "b", "C.UTF-8")


@pytest.fixture
def folder(reachable_folder):
    made = reachable_folder / f"cluster-{time.monotonic_ns()}"
    yield made
    shutil.rmtree(made, ignore_errors=True)


def cluster(folder, **options):
    options.setdefault("store", folder.parent / "store")
    return EmbeddedPostgres(folder, PASSWORD, settings={"fsync": "off"}, **options)


def test_committed_rows_survive_a_killed_server_and_the_port_stays(folder):
    with cluster(folder) as server:
        with psycopg.connect(server.url()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
        port, open_session = server.port, psycopg.connect(server.url())
        os.kill(server.pid, signal.SIGKILL)
        assert server._identity.wait_gone(5)
        assert not server.running()
        server.start()
        assert server.port == port
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT x FROM kept").fetchone() == (1,)
        open_session.close()


def test_wrong_or_missing_password_is_refused(folder):
    with cluster(folder) as server:
        for url in (server.url(password="wrong"), server.url().replace(f":{PASSWORD}@", "@")):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url)
        socket_folder = next(folder.glob("socket"))
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "data").stat().st_mode & 0o077 == 0


def test_second_process_is_refused_and_told_who_keeps_the_database(folder):
    with cluster(folder) as server:
        with pytest.raises(AlreadyRunning, match=str(os.getpid())):
            cluster(folder).start()
        assert server.running()


def test_server_that_outlived_its_starter_is_adopted_and_stopped(folder):
    first = cluster(folder)
    first.start()
    orphan = first._identity
    # What a killed starter leaves: the server, and a lock nobody holds.
    first._lock.close()
    second = cluster(folder)
    second.start()
    assert second.adopted
    assert (second.pid, second.port) == (orphan.pid, first.port)
    second.stop()
    first._child.wait(5)
    assert not second.running()


@pytest.mark.parametrize("stranger", ["this process", "a sleeping postgres elsewhere"])
def test_recycled_process_id_is_not_taken_for_the_server(folder, stranger, tmp_path):
    with cluster(folder) as server:
        pid_file = (server.data / "postmaster.pid").read_text().splitlines()
    other = None
    if stranger == "this process":
        pid_file[0] = str(os.getpid())
    else:
        program = tmp_path / "postgres"
        shutil.copy("/bin/sleep", program)
        other = subprocess.Popen([program, "60"], cwd=tmp_path)
        pid_file[0] = str(other.pid)
    (server.data / "postmaster.pid").write_text("\n".join(pid_file) + "\n")
    with cluster(folder) as again:
        assert not again.adopted
        assert again.pid not in (os.getpid(), other.pid if other else None)
        psycopg.connect(again.url()).close()
    if other is not None:
        assert other.poll() is None
        other.kill()
        other.wait()


def test_half_made_cluster_is_made_anew(folder):
    half = folder / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with cluster(folder) as server:
        psycopg.connect(server.url()).close()
    assert not half.exists()


def test_moved_home_keeps_its_data_and_lost_data_is_not_replaced(folder):
    with cluster(folder) as server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (x int)")
    moved = folder.with_name(f"{folder.name}-moved")
    folder.rename(moved)
    with cluster(moved) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    shutil.rmtree(moved / "data")
    with pytest.raises(PostgresFailed, match="no longer in"):
        cluster(moved).start()
    assert not (moved / "data").exists()


def test_killed_starter_takes_the_server_with_it(folder):
    code = (
        "import sys, time; from pathlib import Path; from b2b_recs.runtime.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), 'x' * 40, settings={'fsync': 'off'}, store=Path(sys.argv[2]))\n"
        "server.start(); print(server.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(folder), str(folder.parent / "store")]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    server = ProcessIdentity.of(int(starter.stdout.readline()))
    starter.kill()
    starter.wait()
    assert server is None or server.wait_gone(10)


def test_port_taken_by_another_program_is_named(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PostgresFailed, match=str(port)):
            cluster(folder, port=port).start()
    with cluster(folder, port=port) as server:
        assert server.port == port


def test_noted_port_that_was_taken_meanwhile_is_replaced(folder):
    with cluster(folder) as server:
        port = server.port
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with cluster(folder) as server:
            assert server.port != port


def test_full_disk_is_said_before_anything_is_made(folder, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(StorageFull, match="1 MB"):
        cluster(folder).start()
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("FATAL:  could not write lock file: No space left on device", StorageFull),
        ("initdb: error: could not create directory: Permission denied", PostgresFailed),
    ],
)
def test_words_of_the_server_become_a_refusal(words, kind, tmp_path):
    assert isinstance(from_words(words, tmp_path, "started"), kind)


def test_folder_that_cannot_be_used_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PostgresFailed, match="file"):
        cluster(blocked / "postgres").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")
def test_root_keeps_the_data_where_the_server_user_can_reach_it(reachable_folder):
    private = reachable_folder / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    with cluster(private / "postgres", store=reachable_folder / "store2") as server:
        assert server.data.is_relative_to(reachable_folder / "store2")
        assert psutil.Process(server.pid).username() == "nobody"
        place = server.data
    # A home made anew at the same path does not meet the old data.
    (private / "postgres").rename(private / "moved")
    with cluster(private / "postgres", store=reachable_folder / "store2") as server:
        assert server.data != place
    shutil.rmtree(private / "postgres")
    (private / "moved").rename(private / "postgres")
    private.chmod(0o755)
    with cluster(private / "postgres", store=reachable_folder / "store2") as server:
        assert server.data == place


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")
def test_programs_are_copied_when_the_server_user_cannot_reach_them(reachable_folder, monkeypatch):
    closed = reachable_folder / "closed"
    closed.mkdir(mode=0o700)
    package = packaged().parent
    shutil.copytree(packaged(), closed / package.name / "pginstall18", symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    monkeypatch.setattr(postgres_binaries, "packaged", lambda: closed / package.name / "pginstall18")
    store = reachable_folder / "store3"
    programs = postgres_binaries.runnable_for(Account.current(), store)
    assert programs.is_relative_to(store)
    with EmbeddedPostgres(reachable_folder / "copied", PASSWORD, store=store) as server:
        assert Path(psutil.Process(server.pid).exe()).is_relative_to(store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root chooses a user")
@pytest.mark.parametrize("name", ["root", "no-such-user"])
def test_chosen_user_must_exist_and_not_be_root(name, monkeypatch):
    monkeypatch.setenv("B2B_RECS_POSTGRES_USER", name)
    with pytest.raises(SettingRefused) as caught:
        Account.current()
    assert caught.value.field == "B2B_RECS_POSTGRES_USER"


def test_deep_folder_still_gets_a_socket_and_leaves_none_behind(folder):
    deep = folder / ("d" * 60) / ("e" * 60)
    with cluster(deep) as server:
        place = server._far_socket
        assert list(place.glob(".s.PGSQL.*"))
        psycopg.connect(server.url()).close()
    assert not place.exists()
