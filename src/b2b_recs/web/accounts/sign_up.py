"""The form with which a visitor makes an account, where the installation allows it."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django.http import HttpRequest

from b2b_recs.web.accounts.forms import own_name


class SignUpForm(SignupForm):
    """Address, name and password; the organization is named on the next page."""

    full_name = own_name()

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """Keep the name with the new account."""
        user.full_name = self.cleaned_data["full_name"]
        user.save(update_fields=["full_name"])
