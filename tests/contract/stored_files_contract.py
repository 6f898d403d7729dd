"""What every store of files promises beyond the contract of sources, run by each of them against its server."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from contract.asking import asked_of
from contract.loaded_files_contract import LoadedFilesContract
from contract.sources_contract import ANY_PARAMETERS, SourceContract, request_for, table_of
from contract.stored_files_arena import file_of
from contract.stored_formats_contract import StoredFormatsContract
from relay import Relay

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import FILE_COLUMN, ReadRequest, Source
from b2b_recs.engine.sources.files.store import FileStore
from b2b_recs.engine.sources.object_stores.store import ObjectStore

ENDPOINT_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = tuple(
    ({"endpoint": text}, "endpoint")
    for text in (
        "store.example.com",
        "file:///etc/passwd",
        "FILE://x",
        "jar:https://store.example.com",
        "ftp://store.example.com",
        "gopher://store.example.com",
        " https://store.example.com",
        "https://store.example.com ",
        "https://user:canary@store.example.com",
        "https://store.example.com/path",
        "https://store.example.com?x=y",
        "https://store.example.com#x",
        "https://store.example.com/..",
        "https://store.example.com:0",
        "https://store.example.com:99999",
        "https://a,b",
        "https://a b",
        "https://",
        "https:\\\\store.example.com",
        "\\\\store\\share",
        "https://-x.example.com",
        "https://[::1",
        "https://[::1]]",
        "https://store.example.com\x00",
        "https://store.example.com\n",
        "https://store.example.com\r\nX: y",
    )
)
FORMAT_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"format": None}, "format"),
    ({"format": "exe"}, "format"),
    ({"delimiter": "ab"}, "delimiter"),
)
STORE_PARAMETERS: tuple[tuple[dict[str, Any], str], ...] = (
    *ENDPOINT_PARAMETERS,
    *FORMAT_PARAMETERS,
    *ANY_PARAMETERS,
    ({"prefix": "/etc"}, "prefix"),
    ({"prefix": "a\x00b"}, "prefix"),
    ({"ca_certificate": "no certificate"}, "ca_certificate"),
)
# Names that are one object each, whatever they would mean in a folder of a machine.
KEYS = (
    "orders//twice.csv",
    "orders/./dot.csv",
    "orders/a b+c%41&d=e.csv",
    "orders/#hash?question.csv",
    "orders/ünï 🛒.csv",
    "orders/quote'\"<>.csv",
    "orders/~tilde!(x)*.csv",
)


def in_short_pages(store: FileStore, most: int, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Has the listing of an object store asked for in pages of so many objects at most; those that came."""
    came: list[Any] = []
    if isinstance(store, ObjectStore):
        page = store.page

        def short(prefix: str, following: str, count: int | None = None) -> Any:
            came.append(page(prefix, following, count or most))
            return came[-1]

        monkeypatch.setattr(store, "page", short)
    return came


class StoredFilesContract(StoredFormatsContract, LoadedFilesContract, SourceContract):
    """Subclasses set ``form``; the arena writes files by ``put`` and removes them by ``remove``."""

    form: ClassVar[str]
    keyed = False
    tick = timedelta(microseconds=1)
    heavy_rows = 12_000
    heavy_text = 2_000
    measured = (80_000, 2_000)
    # Whether the server refuses a range of an object that has changed, and takes one without content: an emulator
    # need not do everything the store does.
    guards_ranges: ClassVar[bool] = True
    takes_empty_files: ClassVar[bool] = True
    # More files than fit into one page of a listing, of which the test asks for a third at a time.
    many: ClassVar[int] = 150
    lists_pages: ClassVar[bool] = True
    # Names of this store's own that are hard to spell.
    keys: ClassVar[tuple[str, ...]] = KEYS

    def file(self, *numbers: int) -> bytes:
        """A file of one column with these numbers."""
        return file_of(self.form, {"id": "integer"}, [(number,) for number in numbers])

    def numbers(self, source: Source, table: str, **more: Any) -> list[tuple[int, str]]:
        """The numbers of a table with the path of the file each came from."""
        request = request_for(source, self.arena_now, table, {"id": "integer"}, **more)
        rows = table_of(source, request).to_pylist()
        return sorted((row["id"], row[FILE_COLUMN]) for row in rows)

    @pytest.fixture(autouse=True)
    def _arena_now(self, lines: Any) -> None:
        self.arena_now = lines

    @contextlib.contextmanager
    def relayed(self, arena: Any) -> Iterator[tuple[Relay, Callable[[], Source]]]:
        """The arena is behind a relay already."""
        try:
            yield arena.relay, arena.open
        finally:
            arena.relay.mend()

    def store(self, source: Source) -> FileStore:
        return source._store  # type: ignore[attr-defined]

    def test_files_that_match_a_pattern_are_one_table(self, source: Source, lines: Any) -> None:
        paths = [f"monthly/2024-0{at}.{self.form}" for at in (1, 2, 3)]
        for at, path in enumerate(paths):
            lines.put(path, self.file(at))
        lines.put(f"monthly/other.{self.form}", self.file(9))
        assert self.numbers(source, f"monthly/2024-*.{self.form}") == list(enumerate(paths))
        assert f"monthly/*.{self.form}" in {table.name for table in source.tables()}

    @asked_of(lambda suite: suite.form != "parquet")  # which packs its own pages
    def test_a_packed_file_is_read_as_what_it_holds(self, source: Source, lines: Any) -> None:
        lines.put("packed/orders.csv.gz", gzip.compress(self.file(*range(5000))))
        assert [number for number, _ in self.numbers(source, "packed/orders.csv.gz")] == list(range(5000))

    def test_a_file_is_marked_anew_when_it_changes_and_only_then(self, source: Source, lines: Any) -> None:
        path = f"marked/a.{self.form}"
        lines.put(path, self.file(1))
        lines.put(f"marked/b.{self.form}", self.file(2))
        first = {file.path: file.mark for file in source.files("", f"marked/*.{self.form}")}
        assert first == {file.path: file.mark for file in source.files("", f"marked/*.{self.form}")}
        assert all(first.values())
        assert self.store(source).info(path).mark == first[path]
        lines.put(path, self.file(3))
        second = {file.path: file.mark for file in source.files("", f"marked/*.{self.form}")}
        assert {name for name in second if second[name] != first[name]} == {path}
        assert self.numbers(source, f"marked/*.{self.form}", files=(path,)) == [(3, path)]

    def test_a_file_that_changes_while_it_is_read_is_never_mixed(self, source: Source, lines: Any) -> None:
        before, after = b"a" * 3_000_000, b"b" * 3_000_000
        lines.put("mixed.bin", before)
        store = self.store(source)
        if not self.guards_ranges:
            first = store.info("mixed.bin")
            lines.put("mixed.bin", after)
            assert store.info("mixed.bin").mark != first.mark
            return
        with store.open(store.info("mixed.bin")) as content:
            assert content.read(10) == b"a" * 10
            lines.put("mixed.bin", after)
            with pytest.raises(errors.ConnectionLost) as caught:
                content.read()
        assert "mixed.bin" in caught.value.message and caught.value.transient
        lines.remove("mixed.bin")
        with pytest.raises(errors.TableMissing):
            store.info("mixed.bin")

    def test_a_file_is_read_at_any_place_and_to_its_end(self, source: Source, lines: Any) -> None:
        whole = bytes(range(256)) * 8000
        lines.put("places.bin", whole)
        store = self.store(source)
        file = store.info("places.bin")
        assert file.size == len(whole)
        with store.open(file) as content:
            assert content.read() == whole
            assert content.read(1) == b""
            for start, count in ((0, 1), (2_047_999, 5), (1_000_000, 700_000), (300_000, 0), (5_000_000, 3), (7, 9)):
                content.seek(start)
                assert content.read(count) == whole[start : start + count]
            content.seek(-5, 2)
            assert content.tell() == len(whole) - 5
            assert content.read() == whole[-5:]
        if not self.takes_empty_files:
            return
        lines.put("nothing.bin", b"")
        with store.open(store.info("nothing.bin")) as content:
            assert content.read() == b""

    def test_names_that_are_hard_to_spell_are_each_read_as_themselves(self, source: Source, lines: Any) -> None:
        store = self.store(source)
        for at, key in enumerate(self.keys):
            lines.put(key, f"content {at}".encode())
        try:
            found = {file.path: file for file in store.list("orders/")}
            assert set(found) == set(self.keys)
            for at, key in enumerate(self.keys):
                assert store.info(key).mark == found[key].mark
                with store.open(found[key]) as content:
                    assert content.read() == f"content {at}".encode()
        finally:
            for key in self.keys:
                lines.remove(key)

    @asked_of(lambda suite: suite.form == "csv")  # a listing knows nothing of what files hold
    def test_a_listing_of_many_pages_is_complete(
        self, source: Source, lines: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = {f"many/{at:05}.{self.form}" for at in range(self.many)}
        lines.put_all(dict.fromkeys(names, self.file(1)))
        store = self.store(source)
        pages = in_short_pages(store, self.many // 3, monkeypatch)
        assert {file.path for file in store.list("many/")} == names
        assert len(pages) >= 3 or not (self.lists_pages and isinstance(store, ObjectStore))
        assert len(source.files("", f"many/000*.{self.form}")) == 100
        lines.remove_all(names)

    def test_a_folder_of_the_store_is_a_place_of_its_own(self, lines: Any) -> None:
        lines.put(f"outer/inner/a.{self.form}", self.file(1))
        lines.put(f"outer/inner2/b.{self.form}", self.file(2))
        for name in ("outer/inner", "outer/inner/"):
            with lines.open(**{self.folder: name}) as source:
                assert [table.name for table in source.tables()] == [f"a.{self.form}"]
                assert self.numbers(source, f"a.{self.form}") == [(1, f"a.{self.form}")]
                with pytest.raises(errors.TableMissing):
                    source.columns("", f"../inner2/b.{self.form}")

    folder: ClassVar[str] = "prefix"

    @asked_of(lambda suite: suite.form == "parquet")  # any text is a CSV file
    def test_a_file_that_is_not_of_the_format_says_so(self, source: Source, lines: Any) -> None:
        lines.put("broken.parquet", b"not parquet at all" * 100)
        with pytest.raises(errors.SourceRefused) as caught:
            source.columns("", "broken.parquet")
        assert "broken.parquet" in caught.value.message
        lines.remove("broken.parquet")

    def test_asking_for_a_file_that_is_gone_names_it(self, source: Source, lines: Any) -> None:
        path = f"gone.{self.form}"
        lines.put(path, self.file(1))
        request = ReadRequest("", path, request_for(source, lines, path).columns, files=(path,))
        lines.remove(path)
        with pytest.raises(errors.SourceRefused) as caught:
            list(source.read(request))
        assert path in caught.value.message
