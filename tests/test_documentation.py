"""The documentation names what is there, and its links lead somewhere."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from browser.pictures import PICTURES
from django.urls import resolve

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "sample_data/README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []


def pictures_shown() -> set[str]:
    """The names of the pictures that pages of the documentation show."""
    return {
        name
        for page in PAGES
        for name in re.findall(r"!\[[^\]]+\]\([./]*(?:docs/)?pictures/([\w-]+)\.png\)", page.read_text("utf-8"))
    }


def test_every_picture_is_shown_and_made_from_a_page_that_exists() -> None:
    kept = {path.stem for path in (ROOT / "docs/pictures").iterdir()}
    assert pictures_shown() == kept == set(PICTURES)
    for path in PICTURES.values():
        assert resolve(path.format(live=1, draft=1).partition("?")[0]).url_name


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small_and_as_wide_as_the_others(name: str) -> None:
    content = (ROOT / f"docs/pictures/{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG") and len(content) < 150_000
    assert struct.unpack(">I", content[16:20]) == (1280,)
