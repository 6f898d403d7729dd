"""The pictures of the documentation, taken of the seeded pages: ``make pictures`` writes all of them anew.

No test by its name, so that only whoever asks for it changes files that are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from browser.sweep import STILL
from browser.test_looks import path_of, settle

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 720
# The file of each picture and the page it shows.
PICTURES = {
    "overview": "/models/{live}/",
    "etl": "/models/{live}/etl/",
    "connection": "/models/{live}/etl/connections/new/postgresql/",
    "load": "/models/{live}/etl/jobs/{draft}/step/3/",
    "warehouse-table": "/models/{live}/etl/jobs/{draft}/step/4/",
    "schedule": "/models/{live}/etl/jobs/{draft}/step/5/",
    "columns": "/models/{live}/setup/",
    "statistics": "/models/{live}/data/bq_order_lines/statistics/",
    "quality": "/models/{live}/data/bq_products/quality/",
    "versions": "/models/{live}/data/bq_products/versions/compare/?before=0&after=1",
    "trained-versions": "/models/{live}/versions/",
    "members": "/organization/members/",
    "audit-log": "/organization/audit/?period=all",
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(visit: Callable[..., Visitor], site: Installation, owner_state: Any, name: str) -> None:
    visitor = visit(width=WIDTH, state=owner_state)
    page = visitor.page
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    visitor.go(path_of(site, PICTURES[name]))
    settle(visitor)
    page.wait_for_load_state("networkidle")
    page.evaluate(STILL)
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}.png")
