"""Looks at a page in light and in dark, with axe, and keeps a picture of each look in ``build/screenshots``."""

from __future__ import annotations

import re
from pathlib import Path

from browser.conftest import Visitor

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (1280, 390)
HEIGHT = 720
SCHEMES = ("light", "dark")
# The rules of axe that look at colours.
COLOURS = ("color-contrast", "link-in-text-block")
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
    """What is at fault on the open page at either width in either scheme; ``path`` names its pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = []
    for width in WIDTHS:
        _fit(visitor, width)
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            look = f"{width} {scheme}"
            if not visitor.page.evaluate(STILL):
                found.append(f"{look}: something moves although less motion was asked for")
            # from light to dark only colours change
            found += [f"{look}: {fault}" for fault in visitor.faults(COLOURS if scheme == "dark" else ())]
            visitor.page.screenshot(path=FOLDER / file_name(path, width, scheme))
    return found


def _fit(visitor: Visitor, width: int) -> None:
    """Make the window as high as the page: a picture beyond it is taken before what sticks to it is drawn anew."""
    visitor.page.set_viewport_size({"width": width, "height": HEIGHT})
    height = visitor.page.evaluate("Math.max(innerHeight, document.documentElement.scrollHeight)")
    visitor.page.set_viewport_size({"width": width, "height": height})
