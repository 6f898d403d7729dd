"""Known failures of other systems that concern files: paths, archives, workbooks."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import pkgutil
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from security.files_of_a_folder import ID, laid_out, opened, read, refused
from tenant_rows import Tenant

from b2b_recs.engine.errors import AddressForbidden, BadInput, SourceRefused, TableMissing
from b2b_recs.engine.sources import files
from b2b_recs.engine.sources.contract import FileInfo, ReadRequest
from b2b_recs.engine.sources.files import (
    csv_format,
    csv_quotes,
    dialects,
    https_store,
    json_format,
    json_records,
    limits,
    lines,
    listing,
    parquet_format,
    unpacking,
    workbooks,
)
from b2b_recs.engine.sources.files.limits import LIMITS, Limits
from b2b_recs.runtime.guard import OutgoingGuard
from b2b_recs.web.connections import services
from b2b_recs.web.projects.models import ModelEndpoint
from b2b_recs.web.tenancy import scope

MODULES = (
    csv_format,
    csv_quotes,
    dialects,
    https_store,
    json_format,
    json_records,
    limits,
    lines,
    listing,
    parquet_format,
    unpacking,
    workbooks,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


def limited(monkeypatch: pytest.MonkeyPatch, **bounds: int) -> None:
    for module in MODULES:
        monkeypatch.setattr(module, "LIMITS", Limits(**bounds))


def test_the_limits_are_set_in_every_module_that_knows_them() -> None:
    names = [f"{files.__name__}.{found.name}" for found in pkgutil.iter_modules(files.__path__)]
    assert {module for module in map(importlib.import_module, names) if hasattr(module, "LIMITS")} == set(MODULES)


# --- paths ------------------------------------------------------------------------------------------------------------

OUTSIDE = [
    "../secret/keys.csv", "orders/../../secret/keys.csv", "/etc/passwd", "..", "../", "./../secret/keys.csv",
    "..\\secret\\keys.csv", "%2e%2e/secret/keys.csv", "%252e%252e%252fsecret", "....//secret/keys.csv",
    "orders/..%2f..%2fsecret/keys.csv", "file:///etc/passwd", "FILE:/etc/passwd", "jar:file:/x!/y",
    "\\\\host\\share\\x", "//host/share/x", "~/keys.csv",
    "link/keys.csv", "link.csv", "link/*.csv", "hard/../../secret/*", "**/keys.csv", "../**/*.csv", "/**/*.csv",
    "{,..}/secret/keys.csv", "orders/good.csv/../../../secret/keys.csv", "\x00", "",
    "../secret/keys.csv\x00.csv", "/proc/self/environ", "proc/self/environ", "/dev/zero", "pipe.csv",
]  # fmt: skip


@pytest.mark.parametrize("table", OUTSIDE)
def test_no_name_of_a_table_leads_out_of_the_folder(folder: Path, table: str) -> None:
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "link.csv").symlink_to(folder.parent / "secret" / "keys.csv")
    os.mkfifo(folder / "pipe.csv")
    with opened(folder) as source:
        for ask in (source.columns, source.files, lambda schema, name: read(source, name)):
            with pytest.raises((TableMissing, BadInput)):
                ask("", table)
        with pytest.raises((TableMissing, BadInput)):
            source._store.open(FileInfo(table, 1, "x"))  # type: ignore[attr-defined]
        assert [table.name for table in source.tables()] == ["orders/good.csv"]
        assert read(source, "orders/*.csv") == [{"id": "1"}]


def test_a_folder_that_becomes_a_link_after_it_was_listed_is_not_followed(folder: Path) -> None:
    with opened(folder) as source:
        (file,) = source.files("", "orders/good.csv")
        (folder / "orders").rename(folder / "old")
        (folder / "orders").symlink_to(folder.parent / "secret")
        (folder.parent / "secret" / "good.csv").write_text("id\ncanary\n")
        with pytest.raises(TableMissing):
            source._store.open(file)  # type: ignore[attr-defined]
        with pytest.raises(TableMissing):
            read(source, "orders/good.csv")


@pytest.mark.parametrize("kind", ["csv", "json", "parquet", "excel"])
@pytest.mark.parametrize("location", ["/etc", "/", "/proc/self", "/proc/self/root", "/dev"])
def test_a_folder_nobody_allowed_is_refused_by_every_format(folder: Path, kind: str, location: str) -> None:
    with pytest.raises(AddressForbidden):
        opened(folder, kind, location)


def test_a_saved_connection_is_refused_when_it_is_used(acme: Tenant, folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(services, "guard", lambda: OutgoingGuard(enabled=False, folders=[folder]))
    with scope(acme.id):
        model = ModelEndpoint.objects.get(id=acme.id_of("ModelEndpoint"))
        for location in ("file:///etc", "\\\\host\\share", "../secret", "http://example.com/a.csv"):
            with pytest.raises(BadInput) as caught:
                services.save_connection(model, "odd files", "csv", {"location": location})
            assert caught.value.field == "location"
        saved, _ = services.save_connection(model, "innocent files", "csv", {"location": "orders"})
        with services.opener(saved)() as source:
            assert read(source, "good.csv") == [{"id": "1"}]
        services.save_connection(model, "innocent files", "csv", {"location": "/etc"})
        saved.refresh_from_db()
        with pytest.raises(AddressForbidden):
            services.opener(saved)()


def test_when_hosted_a_connection_reads_its_organizations_folder_only(
    acme: Tenant, folder: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(services, "guard", lambda: OutgoingGuard(enabled=True, folders=[folder], apart=True))
    other = folder / str(acme.id + 1)
    for place in (folder / str(acme.id), other):
        place.mkdir()
        (place / "a.csv").write_text(f"id\n{place.name}\n")
    with scope(acme.id):
        model = ModelEndpoint.objects.get(id=acme.id_of("ModelEndpoint"))
        saved, _ = services.save_connection(model, "my files", "csv", {"location": "."})
        with services.opener(saved)() as source:
            assert read(source, "a.csv") == [{"id": str(acme.id)}]
        services.save_connection(model, "my files", "csv", {"location": str(other)})
        saved.refresh_from_db()
        with pytest.raises(AddressForbidden):
            services.opener(saved)()


# --- archives ---------------------------------------------------------------------------------------------------------


def zipped(*members: tuple[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return sink.getvalue()


def test_a_gzip_bomb_is_stopped_by_the_limits_in_force(folder: Path) -> None:
    line = b"0" * 1000 + b"\n"
    with gzip.open(folder / "bomb.csv.gz", "wb", 9) as packed:
        for _ in range(300):
            packed.write(line * 1000)
    assert (folder / "bomb.csv.gz").stat().st_size < 1_000_000
    assert f"more than {LIMITS.ratio} times its size" in refused(folder, "bomb.csv.gz").message


PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
    "zip": lambda data: zipped(("x.csv", data)),
}


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("packing", sorted(PACKERS))
def test_every_packing_is_bounded_while_it_is_unpacked(
    folder: Path, packing: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"bomb.{kind}.{packing}"
    record = b"id\n" if kind == "csv" else b'{"id":1}\n'
    (folder / name).write_bytes(PACKERS[packing](record * (3 * 2**20 // len(record))))
    with monkeypatch.context() as patch:
        limited(patch, free_bytes=2**20, ratio=20)
        assert "times its size" in refused(folder, name, kind).message
    limited(monkeypatch, total_bytes=2**20)
    assert "unpacks to more than" in refused(folder, name, kind).message


@pytest.mark.parametrize("packing", sorted(PACKERS))
def test_what_is_packed_twice_or_damaged_is_refused(folder: Path, packing: str) -> None:
    once = PACKERS[packing](b"id\n" + b"".join(b"%d\n" % at for at in range(100_000)))
    (folder / "twice.csv").write_bytes(PACKERS["gz"](once))
    assert "packed twice" in refused(folder, "twice.csv").message
    (folder / "cut.csv").write_bytes(once[: len(once) // 2])
    assert "damaged or incomplete" in refused(folder, "cut.csv").message


def test_an_archive_holds_one_file_and_no_lock(folder: Path) -> None:
    (folder / "two.zip").write_bytes(zipped(("a.csv", b"id\n1\n"), ("b.csv", b"id\n2\n")))
    (folder / "none.zip").write_bytes(zipped())
    (folder / "up.zip").write_bytes(zipped(("../../up.csv", b"id\n7\n"), ("__MACOSX/._up.csv", b"x")))
    assert "holds 2 files" in refused(folder, "two.zip").message
    assert "holds 0 files" in refused(folder, "none.zip").message
    locked = bytearray(zipped(("a.csv", b"id\n1\n")))
    for at in (6, locked.find(b"PK\x01\x02") + 8):
        locked[at] |= 1
    (folder / "locked.zip").write_bytes(bytes(locked))
    assert "locked" in refused(folder, "locked.zip").message
    # A path inside an archive is a name and nothing more.
    assert "holds 0 files" in refused(folder, "up.zip").message
    assert not (folder.parent.parent / "up.csv").exists()


def test_a_member_that_lies_about_its_size_is_refused(folder: Path) -> None:
    data = bytearray(zipped(("a.csv", b"id\n" + b"1\n" * 1_000_000)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(mark) + offset
        data[at : at + 4] = (10).to_bytes(4, "little")
    (folder / "liar.zip").write_bytes(bytes(data))
    assert "damaged or incomplete" in refused(folder, "liar.zip").message


# --- text -------------------------------------------------------------------------------------------------------------


def test_a_line_without_an_end_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, row_bytes=2**20)
    (folder / "line.csv").write_bytes(b"id\n" + b"x" * 40_000_000)
    (folder / "line.json").write_bytes(b'{"id":"' + b"x" * 9_000_000)
    (folder / "array.json").write_bytes(b'[{"id":"' + b"x" * 9_000_000)
    message = refused(folder, "line.csv").message
    assert "more than 1 MB" in message or "over 1 MB" in message
    for name in ("line.json", "array.json"):
        assert "more than 1 MB" in refused(folder, name, "json").message


def test_quotes_without_an_end_cost_their_lines_and_nothing_else(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, row_bytes=2**20)
    (folder / "open.csv").write_bytes(b'id\n"' + b"x" * 500_000 + b"\n" + b"1\n" * 1_000_000)
    with opened(folder) as source:
        batches = list(source.read(ReadRequest("", "open.csv", ID)))
        assert sum(batch.rows.num_rows for batch in batches) == 1_000_000
        (rejected,) = [one for batch in batches for one in batch.rejected]
        assert rejected.reason == "Line 2: a quote is not closed." and len(rejected.row["_line"] or "") == 100_000
    (folder / "all.csv").write_bytes(b"id\n" + b'"a"b\n' * 20_000)
    message = refused(folder, "all.csv").message
    assert message.startswith("In the file all.csv line after line has a quote that is not closed")


def test_json_that_is_nested_without_end_is_refused(folder: Path) -> None:
    (folder / "deep.json").write_bytes(b"[" * 1_000_000)
    assert "nested more than" in refused(folder, "deep.json", "json").message
    (folder / "lines.json").write_bytes(b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b'}\n{"id":"ok"}\n')
    with opened(folder, "json") as source:
        (batch,) = source.read(ReadRequest("", "lines.json", ID))
        assert batch.rows.to_pylist() == [{"id": "ok"}]
        assert [rejected.reason for rejected in batch.rejected] == ["The record is nested too deeply."]


def test_columns_without_number_are_refused(folder: Path) -> None:
    (folder / "wide.csv").write_bytes(b"," * 20_000 + b"\n")
    (folder / "wide.json").write_bytes(b"{" + b",".join(b'"k%d":1' % at for at in range(20_000)) + b"}")
    assert "columns" in refused(folder, "wide.csv").message
    assert "names" in refused(folder, "wide.json", "json").message


def test_files_without_number_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, files=10)
    for at in range(20):
        (folder / "orders" / f"{at}.csv").write_text("id\n1\n")
    with opened(folder) as source:
        for ask in (source.tables, lambda: source.columns("", "**/*.csv")):
            with pytest.raises(SourceRefused) as caught:
                ask()
            assert "more than 10 files" in caught.value.message


# --- Parquet ----------------------------------------------------------------------------------------------------------


def test_parquet_that_unfolds_into_too_much_is_refused_by_its_footer(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"id": pa.array(["x" * 1000] * 100_000)})
    pq.write_table(table, folder / "bomb.parquet", use_dictionary=False, compression="zstd")
    assert (folder / "bomb.parquet").stat().st_size < 1_000_000
    with monkeypatch.context() as patch:
        limited(patch, group_bytes=2**20)
        assert "row group" in refused(folder, "bomb.parquet", "parquet").message
    with monkeypatch.context() as patch:
        limited(patch, column_bytes=2**20)
        assert "one row group" in refused(folder, "bomb.parquet", "parquet").message
    limited(monkeypatch, columns=0)
    assert "columns" in refused(folder, "bomb.parquet", "parquet").message


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1", b"id\n1\n"])
def test_what_is_no_parquet_is_told(folder: Path, content: bytes) -> None:
    (folder / "no.parquet").write_bytes(content)
    assert "cannot be read as Parquet" in refused(folder, "no.parquet", "parquet").message


# --- workbooks --------------------------------------------------------------------------------------------------------


def workbook(folder: Path, **replaced: tuple[bytes, bytes] | bytes) -> None:
    """bad.xlsx: a good workbook with parts replaced, or a text in one of its parts."""
    sink = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["ok"])
    book.save(sink)
    parts = {"sheet": "xl/worksheets/sheet1.xml", "book": "xl/workbook.xml", "extra": "xl/extra.bin"}
    changes = {parts[name]: change for name, change in replaced.items()}
    with zipfile.ZipFile(sink) as good, zipfile.ZipFile(folder / "bad.xlsx", "w", zipfile.ZIP_DEFLATED) as bad:
        for name in good.namelist():
            content, change = good.read(name), changes.pop(name, b"")
            if isinstance(change, tuple):
                assert change[0] in content
                content = content.replace(*change)
            bad.writestr(name, change if isinstance(change, bytes) and change else content)
        for name, change in changes.items():
            bad.writestr(name, change)  # type: ignore[arg-type]


LAUGHS = b"<!DOCTYPE lolz [" + b"".join(
    b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10 if at else b"lol") for at in range(10)
) + b"]>"  # fmt: skip


def test_entities_in_a_workbook_are_refused(folder: Path) -> None:
    workbook(folder)
    with opened(folder, "excel") as source:
        assert read(source, "bad.xlsx") == [{"id": "ok"}]
    for declared in (LAUGHS, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b" " * 3_000_000 + LAUGHS):
        workbook(folder, sheet=(b"<sheetData>", declared + b"<sheetData>"))
        assert "declares entities" in refused(folder, "bad.xlsx", "excel").message
    workbook(folder, sheet=LAUGHS.decode().encode("utf-16"))
    assert "not written as usual" in refused(folder, "bad.xlsx", "excel").message


@pytest.mark.parametrize("place", [b"XFD1048576", b"A1048576", b"XFD2000"])
def test_a_sheet_whose_cells_lie_too_far_apart_is_refused(folder: Path, place: bytes) -> None:
    far = b'<row r="1048576"><c r="%s" t="n"><v>1</v></c><c r="ZZ9"><v>1</v></c></row></sheetData>' % place
    workbook(folder, sheet=(b"</sheetData>", far))
    assert "has a sheet of" in refused(folder, "bad.xlsx", "excel").message


def test_a_workbook_that_unpacks_to_too_much_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, workbook_bytes=8 * 2**20)
    workbook(folder, extra=b"\x00" * 20_000_000)
    assert "unpacks to more than" in refused(folder, "bad.xlsx", "excel").message
    (folder / "large.xlsx").write_bytes(b"PK\x03\x04" + bytes(3 * 2**20))
    assert "is a workbook of more than" in refused(folder, "large.xlsx", "excel").message


@pytest.mark.parametrize(
    "content", [b"", b"id\n1\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x05\x06"]
)
def test_what_is_no_workbook_is_told(folder: Path, content: bytes) -> None:
    (folder / "no.xlsx").write_bytes(content)
    assert "no.xlsx" in refused(folder, "no.xlsx", "excel").message
    (folder / "other.xlsx").write_bytes(zipped(("xl/workbook.bin", b"x"), ("content.xml", b"<x/>")))
    assert "is not an Excel workbook" in refused(folder, "other.xlsx", "excel").message
