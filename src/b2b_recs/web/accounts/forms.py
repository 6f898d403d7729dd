"""The forms of an organization's people and settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from b2b_recs.web.accounts.models import Role
from b2b_recs.web.name_field import NameField
from b2b_recs.web.names import LONGEST_TITLE


def own_name() -> NameField:
    """The field in which a new person types their name."""
    return NameField(
        "a person",
        LONGEST_TITLE,
        label="Your name",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Type your name."},
    )


class InviteForm(forms.Form):
    """An address and the role its holder will have."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "colleague@example.com"}),
        error_messages={
            "required": "Type the address to invite.",
            "invalid": "An address looks like name@example.com.",
            "max_length": "An address has at most 254 characters.",
        },
    )
    role = forms.ChoiceField(error_messages={"invalid_choice": "Choose a role of the list."})

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]
        self.fields["role"].initial = Role.EDITOR.value


class JoinForm(forms.Form):
    """A new person's name and password."""

    full_name = own_name()
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
        error_messages={"required": "Choose a password.", "max_length": "Use at most 128 characters."},
    )


class NameForm(forms.Form):
    """A person's own name."""

    full_name = NameField(
        "a person",
        LONGEST_TITLE,
        label="Name",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="Shown to your colleagues in lists and in the audit log.",
    )


class OrganizationForm(forms.Form):
    """What an organization is called."""

    name = NameField(
        "an organization",
        LONGEST_TITLE,
        help_text="Shown to its members and in invitations.",
        error_messages={"required": "Give the organization a name."},
    )
