"""Looks at a page in light and in dark, with axe, and keeps a picture of each look in ``build/screenshots``."""

from __future__ import annotations

import re
from pathlib import Path

from browser.conftest import Visitor

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
# Colours fade from one scheme to the other; whoever asked for less motion sees nothing that goes on moving.
STILL = """Promise.race([
    Promise.allSettled(document.getAnimations().map(animation => animation.finished)).then(() => true),
    new Promise(done => setTimeout(done, 3000, false)),
])"""


def file_name(path: str, width: int, scheme: str) -> str:
    """The picture of a page: its path in words, the width, the scheme."""
    words = "-".join(re.findall(r"[a-z0-9]+", path.lower())) or "dashboard"
    return f"{words}-{width}-{scheme}.png"


def looks(visitor: Visitor, path: str) -> list[str]:
    """What is at fault on the open page in either scheme; ``path`` names its pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    page, found = visitor.page, []
    window = page.viewport_size
    assert window is not None
    # a window as high as the page: a picture beyond the window is taken before what sticks to it is drawn anew
    height = page.evaluate("Math.max(innerHeight, document.documentElement.scrollHeight)")
    page.set_viewport_size({"width": window["width"], "height": height})
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if not page.evaluate(STILL):
            found.append(f"{scheme}: something moves although less motion was asked for")
        found += [f"{scheme}: {fault}" for fault in visitor.faults()]
        page.screenshot(path=FOLDER / file_name(path, window["width"], scheme))
    return found
