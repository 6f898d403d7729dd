"""What is committed under static/ui was built from what is committed, and templates stay inside the design system."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "src/b2b_recs/web"
STATIC = WEB / "ui/static/ui"
TEMPLATES = sorted(WEB.glob("*/templates/**/*.html"))


def digests(folder: Path, *more: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]
    return {str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest() for path in [*files, *more]}


def test_committed_assets_were_built_from_the_committed_sources() -> None:
    manifest = json.loads((STATIC / "manifest.json").read_text())
    assert manifest["sources"] == digests(WEB / "ui/sources", ROOT / "package-lock.json"), "run: make assets"
    assert manifest["built"] == digests(STATIC), "run: make assets"


def test_scripts_of_a_page_stay_under_150_kilobytes_compressed() -> None:
    scripts = re.findall(r"static '(ui/[^']+\.js)'", (WEB / "ui/templates/ui/base.html").read_text())
    assert len(scripts) == 3
    assert sum(len(gzip.compress((STATIC.parent / name).read_bytes())) for name in scripts) < 150_000


def test_the_lock_file_names_no_address_to_load_from() -> None:
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_keeps_the_rules(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "a style attribute is refused by the content security policy"
    assert not re.search(r"\son[a-z]+\s*=", text), "an inline handler is refused by the content security policy"
    assert not re.search(r"<script(?![^>]*(src=|application/json))", text), "an inline script is refused"
    assert "<style" not in text
    assert len(text.splitlines()) <= 250


def test_the_gallery_shows_every_component() -> None:
    gallery = [path for path in TEMPLATES if path.parent.name == "gallery" or path.name in ("base.html", "shell.html")]
    shown = " ".join(path.read_text() for path in gallery)
    by_tag = {"field": "{% field ", "term": "{% term "}
    for component in (WEB / "ui/templates/ui/components").glob("*.html"):
        wanted = by_tag.get(component.stem, f'"ui/components/{component.name}"')
        assert wanted in shown, component.name


def classes_in(text: str) -> set[str]:
    found: set[str] = set()
    for value in re.findall(r'(?<![:\w-])class="((?:\{%.*?%\}|\{\{.*?\}\}|[^"])*)"', text, re.S):
        literal = re.sub(r"\S*\{\{.*?\}\}\S*", " ", value)
        found.update(re.sub(r"\{%.*?%\}", " ", literal).split())
    return found


def test_every_class_a_template_uses_is_in_the_style_sheet() -> None:
    sheet = (STATIC / "ui.css").read_text().replace("\\", "")
    known = set(re.findall(r"\.(-?[a-zA-Z_][\w:/.-]*?)(?=[\s{,:>+~.)\[]|$)", sheet)) | set(
        re.findall(r"\.((?:sm|md|lg):[\w-]+)", sheet)
    )
    marks = {"badge-none", "dot-none", "stage-", "log-", "dot-", "badge-", "stage-mark-", "notice-", "log-info"}
    unknown = {
        f"{template.relative_to(WEB)}: {name}"
        for template in TEMPLATES
        for name in classes_in(template.read_text()) - known - marks
    }
    assert unknown == set()


def test_a_script_asks_a_form_for_nothing_a_field_can_be_named_like() -> None:
    named = "dataset|elements|action|method|name|id|target"
    for script in sorted((WEB / "ui/sources/scripts").glob("*.js")):
        found = re.findall(rf"\b(?:form|form\)|asked|present)\??\.(?:{named})\b", script.read_text())
        assert found == [], f"{script.name}: read the attribute, or ask window.formFields"


def test_the_form_in_the_gallery_refuses_in_words_of_the_product() -> None:
    from b2b_recs.web.ui.gallery import ExampleForm

    for port in ("90000", "0", "many"):
        errors = ExampleForm({"name": "a", "currency": "GBP", "port": port}).errors
        assert list(errors.values()) == [["This cannot be a port. Give a whole number from 1 to 65,535."]]
