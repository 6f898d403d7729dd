"""A real Chromium on a real installation. Without Chromium the tests skip, under CI they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from browser.installation import Installation, installation
from browser.shop import open_shop
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
# everything quiet and local: the browser must not look for updates, proxies or other machines
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# of rows that are all alike the first twenty stand for the others
ASK = """rules => axe.run(
    {exclude: [["tbody tr:nth-child(n+21)"], [".rows > li:nth-child(n+21)"]]},
    {resultTypes: ["violations"], preload: false, ...(rules.length ? {runOnly: rules} : {})},
).then(found => found.violations.map(one => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`))"""
WAIT_MS = 15_000


# The same browser without its window comes first: it renders alike with half the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")


def chromium_path() -> str:
    """The browser's path; skips without one, fails under CI."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium-headless-shell)."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One seeded installation for all browser tests of this process."""
    chromium_path()
    server = request.getfixturevalue("postgres_server")
    url = server.create_database("browser_tests")
    shop = open_shop(request.getfixturevalue("role_server"))
    with installation(tmp_path_factory.mktemp("home"), url, shop=shop) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium, ended with this folder's tests: its event loop must not run under the others."""
    path = chromium_path()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


class Visitor:
    """A page whose console is watched: what it complains about is kept in ``complaints``."""

    def __init__(self, page: Page, site: Installation) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        """Open a path of the site; it must answer 200."""
        answer = self.page.goto(self.site.url + path)
        assert answer is not None and answer.status == 200, f"{path} answered {answer and answer.status}"
        return self.page

    def sign_in(self, who: str) -> None:
        """Use one of the person's one-time links."""
        self.go(self.site.seeded["links"][who].pop())
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.site.url}/")

    def faults(self, rules: Sequence[str] = ()) -> list[str]:
        """What axe finds on the page as it is, by these rules or by all, and whether it is wider than the window."""
        if self.page.evaluate("typeof axe === 'undefined'"):
            self.page.evaluate(AXE)
        faults: list[str] = self.page.evaluate(ASK, list(rules))
        if self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append("the page is wider than the window")
        return faults


class Visits:
    """Opens pages for people. Those of one person share a session and what the browser keeps of the site's files, as
    the tabs of a person do; a stranger has nothing.
    """

    def __init__(self, browser: Browser, site: Installation) -> None:
        self._browser = browser
        self._site = site
        self._people: dict[str, BrowserContext] = {}
        self._alone: list[BrowserContext] = []
        self._stays: dict[str, Visitor] = {}

    def open(
        self, who: str = "", width: int = 1280, scheme: Any = "light", state: Any = None, alone: bool = False
    ) -> Visitor:
        """A page of its own; ``alone`` also with a session of its own, for what changes it."""
        place = f"state {id(state)}" if state is not None else who
        if alone or not place:
            context = self._browser.new_context(storage_state=state)
            self._alone.append(context)
        else:
            context = self._people.get(place) or self._browser.new_context(storage_state=state)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 720})
        page.emulate_media(color_scheme=scheme)
        visitor = Visitor(page, self._site)
        if who and place not in self._people:
            visitor.sign_in(who)
        elif who:
            visitor.go("/")
        if place and not alone:
            self._people[place] = context
        return visitor

    def looker(self, state: Any = None) -> Visitor:
        """A page that goes from one address to the next, empty, with what it complained about before forgotten."""
        place = f"state {id(state)}"
        if place not in self._stays:
            context = self._browser.new_context(storage_state=state)
            self._stays[place] = Visitor(context.new_page(), self._site)
        visitor = self._stays[place]
        visitor.page.goto("about:blank")
        visitor.complaints.clear()
        return visitor

    def end_test(self) -> None:
        """Close every page but those that go on looking."""
        for context in self._alone:
            context.close()
        self._alone.clear()
        for context in self._people.values():
            for page in context.pages:
                page.close()


@pytest.fixture(scope="module")
def visits(browser: Browser, site: Installation) -> Visits:
    """The people of this file's tests."""
    return Visits(browser, site)


@pytest.fixture
def visit(visits: Visits) -> Iterator[Callable[..., Visitor]]:
    """Opens a new visitor: ``visit("owner", width=390, scheme="dark")``, signed in unless nobody is named."""
    yield visits.open
    visits.end_test()


@pytest.fixture
def looker(visits: Visits) -> Callable[..., Visitor]:
    """Gives the page that looks at one address after the other: ``looker(owner_state)``, of a stranger ``looker()``."""
    return visits.looker


@pytest.fixture(scope="module")
def owner_state(browser: Browser, site: Installation) -> Any:
    """The cookies of the signed-in owner."""
    context = browser.new_context()
    Visitor(context.new_page(), site).sign_in("owner")
    state = context.storage_state()
    context.close()
    return state
