"""SFTP against the contract, by a server of asyncssh."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from contract.sftp_arena import SftpArena
from contract.sources_contract import ANY_PARAMETERS, HOST_PARAMETERS, eventually
from contract.stored_files_arena import StoredFilesArena
from contract.stored_files_contract import FORMAT_PARAMETERS, KEYS, StoredFilesContract
from sftp_server import PASSWORD, SftpServer

from b2b_recs.engine import errors
from b2b_recs.engine.sources.files import store as file_store
from b2b_recs.engine.sources.sftp import store as sftp_store

OTHER = asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture(scope="module")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    with contextlib.closing(SftpServer(tmp_path_factory.mktemp("sftp"))) as server:
        yield server


class SftpContract(StoredFilesContract):
    type = "sftp"
    heavy_text = 500
    measured = (90_000, 2_000)
    folder = "folder"
    # Two names of one file are one file here.
    keys = (*(key for key in KEYS if "//" not in key and "/./" not in key), "orders/back\\slash.csv")
    bad_connections = (
        ("password", {"password": "wrong-canary"}, errors.AuthenticationRefused, "password"),
        ("user", {"username": "nobody-here"}, errors.AuthenticationRefused, "password"),
        ("host", {"host": "no-such-host.invalid"}, errors.HostUnknown, "host"),
        ("port", {"port": 1}, errors.ConnectionRefused, "host"),
        ("folder", {"folder": "no-such-folder"}, errors.DatabaseMissing, "folder"),
        ("unknown host key", {"host_key": ""}, errors.SourceRefused, "host_key"),
        ("other host key", {"host_key": OTHER.get_fingerprint()}, errors.SourceRefused, "host_key"),
        (
            "other private key",
            {"password": "", "private_key": OTHER.export_private_key().decode()},
            errors.AuthenticationRefused,
            "private_key",
        ),
        (
            "passphrase",
            {"password": "", "private_key": OTHER.export_private_key(passphrase="canary").decode()},
            errors.BadInput,
            "private_key_passphrase",
        ),
    )
    bad_parameters = (
        *HOST_PARAMETERS,
        *FORMAT_PARAMETERS,
        *ANY_PARAMETERS,
        ({"username": ""}, "username"),
        ({"username": "a\x00b"}, "username"),
        ({"password": ""}, "password"),
        ({"password": "canary\x00"}, "password"),
        ({"password": ["canary"]}, "password"),
        ({"private_key": OTHER.export_private_key().decode()}, "password"),
        ({"private_key": "/home/reader/.ssh/id_ed25519"}, "private_key"),
        ({"private_key": "canary"}, "private_key"),
        ({"host_key": "MD5:aa:bb"}, "host_key"),
        ({"host_key": "SHA256:short"}, "host_key"),
        ({"host_key": "any"}, "host_key"),
        ({"folder": "a\x00b"}, "folder"),
    )

    @pytest.fixture(scope="class")
    @classmethod
    def arena(cls, sftp_server: SftpServer) -> Iterator[SftpArena]:
        with contextlib.closing(SftpArena(sftp_server, cls.form, f"contract-{cls.form}")) as arena:
            yield arena

    @pytest.fixture(autouse=True)
    def _servers(self, sftp_server: SftpServer) -> None:
        self.server = sftp_server

    @contextlib.contextmanager
    def private_server(self) -> Iterator[StoredFilesArena]:
        with contextlib.closing(SftpArena(self.server, self.form, "private")) as arena:
            arena.make("large", {"id": "integer", "word": "text"}, [(at, "x" * 500) for at in range(20_000)])
            yield arena


class TestCsvOverSftp(SftpContract):
    form = "csv"

    @pytest.mark.parametrize("phrase", [None, "canary-phrase"])
    def test_a_private_key_signs_in(self, lines: SftpArena, phrase: str | None) -> None:
        key = self.server.private_key(phrase)
        with lines.open(password="", private_key=key, private_key_passphrase=phrase or "") as source:
            assert source.check().tables

    def test_nobody_signs_in_before_the_host_key_is_confirmed(self, lines: SftpArena) -> None:
        before = len(self.server.logins)
        for pinned in ("", OTHER.get_fingerprint()):
            with lines.open(host_key=pinned) as source, pytest.raises(errors.SourceRefused) as caught:
                source.check()
            assert self.server.fingerprint in caught.value.message
        assert len(self.server.logins) == before
        both = f"{OTHER.get_fingerprint()} {self.server.fingerprint}"
        with lines.open(host_key=both) as source:
            assert source.check().tables

    def test_links_are_left_out(self, lines: SftpArena, tmp_path: Path) -> None:
        (tmp_path / "outside.csv").write_text("id\n1\n")
        (lines.root / "link.csv").symlink_to(tmp_path / "outside.csv")
        (lines.root / "linked").symlink_to(tmp_path)
        with lines.open() as source:
            names = {table.name for table in source.tables()}
            assert not any(name.startswith("link") for name in names)
            assert "link.csv" in self.store(source).left_out
            for name in ("link.csv", "linked/outside.csv", "../contract-csv/lines.csv"):
                with pytest.raises(errors.TableMissing):
                    source.columns("", name)
                with pytest.raises(errors.TableMissing):
                    self.store(source).info(name)

    def test_a_file_written_in_the_second_of_its_listing_is_another_one_later(
        self, lines: SftpArena, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines.put("just-now.csv", b"id\n1\n")
        written = (lines.root / "just-now.csv").stat().st_mtime
        monkeypatch.setattr(file_store.time, "time", lambda: written + 0.5)
        with lines.open() as source:
            store = self.store(source)
            first = store.info("just-now.csv")
            monkeypatch.setattr(file_store.time, "time", lambda: written + 60)
            later = store.info("just-now.csv")
            assert first.mark != later.mark and later == store.info("just-now.csv")
            # To a read that is on its way it is the same.
            with store.open(first) as content:
                assert content.read() == b"id\n1\n"

    def test_a_listing_without_an_end_is_given_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sftp_store, "_MOST_ENTRIES", 5000)
        with (
            contextlib.closing(SftpServer(tmp_path, endless=True)) as server,
            contextlib.closing(SftpArena(server, "csv", "")) as arena,
            arena.open() as source,
        ):
            with pytest.raises(errors.SourceRefused) as caught:
                source.tables()
            assert "list" in caught.value.message
            assert caught.value.field == "folder"

    def test_a_server_that_is_none_is_told(self, lines: SftpArena) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer() -> None:
                link, _ = listener.accept()
                with link:
                    link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

            threading.Thread(target=answer, daemon=True).start()
            with lines.open(port=listener.getsockname()[1]) as source, pytest.raises(errors.SourceRefused) as caught:
                source.check()
        assert caught.value.field == "host"

    def test_a_connection_that_broke_is_opened_anew(self, lines: SftpArena) -> None:
        with lines.open() as source:
            assert source.tables()
            lines.relay.cut()
            lines.relay.mend()
            assert eventually(lambda: lines.sessions() == 0)
            assert source.tables()

    def test_nothing_of_the_machine_is_used(
        self, lines: SftpArena, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        folder = tmp_path / ".ssh"
        folder.mkdir()
        (folder / "config").write_text("Host *\n  ProxyCommand touch called\n  User somebody\n")
        (folder / "id_ed25519").write_text(self.server.private_key())
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        with lines.open(password="wrong-canary") as source, pytest.raises(errors.AuthenticationRefused):
            source.check()
        with lines.open(password=PASSWORD) as source:
            assert source.check().tables
