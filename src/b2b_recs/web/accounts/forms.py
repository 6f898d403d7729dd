"""The forms of an organization's people and settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from b2b_recs.web.accounts.models import Role


def one_line(text: str) -> str:
    """The text without spaces around it. Raises ValidationError for control characters."""
    text = text.strip()
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise forms.ValidationError("Use letters, digits, spaces and punctuation; line breaks and tabs are not kept.")
    return text


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

    full_name = forms.CharField(
        label="Your name",
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": "Type your name.", "max_length": "Use at most 200 characters."},
    )
    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
        error_messages={"required": "Choose a password.", "max_length": "Use at most 128 characters."},
    )

    def clean_full_name(self) -> str:
        """The name on one line."""
        return one_line(self.cleaned_data["full_name"])


class NameForm(forms.Form):
    """A person's own name."""

    full_name = forms.CharField(
        label="Name",
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text="Shown to your colleagues in lists and in the audit log.",
        error_messages={"max_length": "Use at most 200 characters."},
    )

    def clean_full_name(self) -> str:
        """The name on one line."""
        return one_line(self.cleaned_data["full_name"])


class OrganizationForm(forms.Form):
    """What an organization is called."""

    name = forms.CharField(
        max_length=200,
        help_text="Shown to its members and in invitations.",
        error_messages={"required": "Give the organization a name.", "max_length": "Use at most 200 characters."},
    )

    def clean_name(self) -> str:
        """The name on one line."""
        return one_line(self.cleaned_data["name"])
