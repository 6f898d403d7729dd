"""Which folders of this machine a connection may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from b2b_recs.engine.errors import AddressForbidden, BadInput
from b2b_recs.runtime.errors import SettingRefused
from b2b_recs.runtime.file_folders import FOLDERS_VARIABLE, allowed_folders, make_default_folder
from b2b_recs.runtime.guard import HOSTED_VARIABLE, OutgoingGuard
from b2b_recs.runtime.home import Home

ODD = [
    "", " ", "\\\\server\\share", "..\\secret", "C:\\files", "c:/files", "file:///etc", "FILE:/etc", " file:/etc",
    "jar:file:/x!/y", "http://host/x", "//server/share", "~/files", "~root", "../secret", "orders/../../secret",
    "a\x00b", "a\nb", " orders", "orders ", "x" * 2000, None,
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "files" / "orders").mkdir(parents=True)
    (tmp_path / "secret").mkdir()
    return tmp_path / "files"


def test_a_folder_below_an_allowed_one_is_given_with_its_links_followed(root: Path) -> None:
    guard = OutgoingGuard(enabled=True, folders=[root])
    (root / "link").symlink_to(root / "orders")
    for path in ("orders", str(root / "orders"), "./orders/", "link", f"{root}//orders"):
        assert guard.folder(path) == root / "orders"
    assert guard.folder(".") == guard.folder(str(root)) == root
    assert guard.folder("not yet there") == root / "not yet there"


@pytest.mark.parametrize("path", ODD)
def test_what_is_no_plain_path_is_refused(root: Path, path: str) -> None:
    with pytest.raises(BadInput) as refused:
        OutgoingGuard(enabled=True, folders=[root]).folder(path)
    assert refused.value.field == "location"


def test_a_folder_outside_is_refused_however_it_is_reached(root: Path) -> None:
    (root / "out").symlink_to(root.parent / "secret")
    (root / "up").symlink_to("..")
    guard = OutgoingGuard(enabled=False, folders=[root])
    for path in ("/", "/etc", str(root.parent), f"{root}-other", "out", "up/secret", str(root / "out"), "/nowhere"):
        with pytest.raises(AddressForbidden) as refused:
            guard.folder(path)
        assert FOLDERS_VARIABLE in refused.value.advice
    seen = {str(_refusal(guard, path)).replace(path, "") for path in ("/etc", "/not-there-at-all")}
    assert len(seen) == 1


def test_without_folders_nothing_is_read(root: Path) -> None:
    with pytest.raises(AddressForbidden):
        OutgoingGuard(enabled=False).folder(str(root))


def test_of_several_folders_the_one_that_has_it_is_meant(root: Path) -> None:
    other = root.parent / "more"
    (other / "prices").mkdir(parents=True)
    guard = OutgoingGuard(enabled=True, folders=[root, other])
    assert guard.folder("prices") == other / "prices"
    assert guard.folder("orders") == root / "orders"
    assert guard.folder(str(other / "none")) == other / "none"


def test_when_hosted_each_organization_reads_its_own_folder_only(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for organization in ("7", "71"):
        (root / organization).mkdir()
    environ = {HOSTED_VARIABLE: "true", FOLDERS_VARIABLE: str(root)}
    monkeypatch.setenv("B2B_RECS_HOME", str(tmp_path / "home"))
    guard = OutgoingGuard.from_environment(environ=environ)
    mine = guard.for_organization(7)
    assert mine.folder(".") == root / "7"
    for path in (str(root / "71"), str(root), "/etc"):
        with pytest.raises(AddressForbidden):
            mine.folder(path)
    with pytest.raises(AddressForbidden):
        guard.folder(str(root / "7"))
    shared = OutgoingGuard.from_environment(environ={FOLDERS_VARIABLE: str(root)})
    assert shared.for_organization(7).folder("71") == root / "71"


def test_the_default_folder_is_made_and_those_an_operator_names_are_not(tmp_path: Path) -> None:
    home, named = Home(tmp_path / "home").create(), tmp_path / "named"
    make_default_folder(home, {FOLDERS_VARIABLE: str(named)})
    assert not (home.root / "files").exists()
    assert not named.exists()
    for _ in range(2):
        make_default_folder(home, {})
    assert OutgoingGuard(enabled=True, folders=allowed_folders(home, {})).folder(".").is_dir()


def test_the_refusal_of_a_folder_names_the_allowed_ones_and_a_path_of_another_system_is_told_as_one(root: Path) -> None:
    guard = OutgoingGuard(enabled=True, folders=[root])
    assert str(root) in _refusal(guard, "/etc").advice
    for path in ("C:\\files", "c:/files", "D:"):
        with pytest.raises(BadInput, match="path of another system"):
            guard.folder(path)


def test_the_setting_cannot_open_the_installation_itself(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert allowed_folders(home, {}) == (tmp_path / "home" / "files",)
    assert allowed_folders(home, {FOLDERS_VARIABLE: "/srv/a:/srv/b, /srv/c"}) == tuple(
        Path(f"/srv/{name}") for name in "abc"
    )
    for bad in ("/", str(tmp_path), str(home.root), str(home.warehouse), "relative", f"/srv/a:{home.root}/.."):
        with pytest.raises(SettingRefused) as refused:
            allowed_folders(home, {FOLDERS_VARIABLE: bad})
        assert refused.value.field == FOLDERS_VARIABLE
    assert allowed_folders(home, {FOLDERS_VARIABLE: str(home.root / "files" / "in")})


def _refusal(guard: OutgoingGuard, path: str) -> AddressForbidden:
    with pytest.raises(AddressForbidden) as refused:
        guard.folder(path)
    return refused.value
