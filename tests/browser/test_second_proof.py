"""Signing in with a passkey and with the codes of an authenticator app, in a real browser.

The passkey lives in an authenticator that Chromium itself plays; pages that use it are opened by name, since a
passkey belongs to a name and not to an address in numbers.
"""

from __future__ import annotations

import base64
import hmac
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from browser.conftest import Visitor
from browser.installation import Installation
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visit = Callable[..., Visitor]
PASSWORD = "correct horse battery"
PERIOD = 30
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def code_at(secret: str, moment: float) -> str:
    """The six digits an authenticator app shows then (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(moment) // PERIOD), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def fresh_code(secret: str) -> str:
    """The code of now, when it still holds for a while."""
    while time.time() % PERIOD > PERIOD - 3:
        time.sleep(0.2)
    return code_at(secret, time.time())


def with_password(page: Page, address: str, who: str) -> None:
    """Type address and password on the sign-in page."""
    page.goto(address)
    page.get_by_label("E-mail").fill(f"{who}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page) -> None:
    """Pages that change how somebody signs in ask for the password again."""
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def sign_out(page: Page, base: str) -> None:
    """Sign out by the page that asks."""
    page.goto(f"{base}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")


def test_a_passkey_is_added_signs_in_without_a_password_and_is_removed(visit: Visit, site: Installation) -> None:
    visitor = visit()
    page, base = visitor.page, site.url.replace("127.0.0.1", "localhost")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    device = devices.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]
    with_password(page, f"{base}/accounts/login/", "passkey")
    page.wait_for_url(f"{base}/")
    page.goto(f"{base}/accounts/2fa/webauthn/add/")
    confirm(page)
    page.get_by_label("Name").fill("Office laptop “Ö”")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert len(devices.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]) == 1
    page.goto(f"{base}/accounts/2fa/webauthn/")
    expect(page.get_by_text("Office laptop “Ö”")).to_be_visible()
    expect(page.get_by_text("Passkey", exact=True)).to_be_visible()
    assert visitor.faults() == []

    sign_out(page, base)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{base}/")
    expect(page.get_by_role("link", name="passkey@example.com")).to_be_visible()

    page.goto(f"{base}/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Remove Office laptop “Ö”").click()
    confirm(page)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="None added")).to_be_visible()
    sign_out(page, base)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_be_visible()  # the device still has it, the account has not
    assert visitor.complaints == []


def test_a_code_of_the_app_is_asked_after_the_password_and_a_recovery_code_stands_in(
    visit: Visit, site: Installation
) -> None:
    visitor = visit()
    page, base = visitor.page, site.url
    with_password(page, f"{base}/accounts/login/", "app")
    page.wait_for_url(f"{base}/")
    page.goto(f"{base}/accounts/2fa/totp/activate/")
    confirm(page)
    secret = page.locator("#totp-secret").inner_text().strip()
    page.get_by_label("Authenticator code").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    assert page.locator("#totp-secret").inner_text().strip() == secret  # scanned once is enough
    page.get_by_label("Authenticator code").fill(fresh_code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery: list[Any] = page.locator("#recovery_codes").inner_text().split()
    assert len(recovery) == len(set(recovery)) == 10
    expect(page.get_by_text("Two-factor sign-in is on.")).to_be_visible()
    assert visitor.faults() == []
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Two-factor sign-in")).to_be_visible()

    sign_out(page, base)
    with_password(page, f"{base}/accounts/login/", "app")
    expect(page.get_by_role("heading", name="Second proof")).to_be_visible()
    assert visitor.faults() == []
    page.goto(f"{base}/")
    page.wait_for_url("**/accounts/2fa/authenticate/**")  # the password alone opens nothing
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right.")).to_be_visible()
    used = fresh_code(secret)
    page.get_by_label("Code").fill(used)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{base}/")

    sign_out(page, base)
    with_password(page, f"{base}/accounts/login/", "app")
    page.get_by_label("Code").fill(used)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right.")).to_be_visible()  # a code signs in once
    page.get_by_label("Code").fill(recovery[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{base}/")
    page.goto(f"{base}/accounts/2fa/")
    expect(page.get_by_text("9 of 10 not used yet.")).to_be_visible()
    assert visitor.complaints == []
