"""The library's forms that ask for an address, spelt as everywhere here; one with which a visitor makes an account."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import AddEmailForm, LoginForm, ResetPasswordForm, SignupForm
from django.http import HttpRequest

from b2b_recs.web.accounts.forms import own_name


class _Address:
    """Calls the field of the address by its one name."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("email") or self.fields["login"]
        field.label = "E-mail"
        field.widget.attrs.pop("placeholder", None)


class SignInForm(_Address, LoginForm):
    """Address and password."""


class ForgottenForm(_Address, ResetPasswordForm):
    """The address to which a link is sent."""


class NewAddressForm(_Address, AddEmailForm):
    """Another address for the account."""


class SignUpForm(_Address, SignupForm):
    """Address, name and password; the organization is named on the next page."""

    full_name = own_name()

    def custom_signup(self, request: HttpRequest, user: Any) -> None:
        """Keep the name with the new account."""
        user.full_name = self.cleaned_data["full_name"]
        user.save(update_fields=["full_name"])
