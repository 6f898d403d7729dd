"""Forms of the try-it panel and of API keys."""

from __future__ import annotations

from django import forms


class AskForm(forms.Form):
    """One question to the endpoint."""

    customer = forms.CharField(
        max_length=256,
        error_messages={"required": "Type a customer id or name.", "max_length": "An id has at most 256 characters."},
    )
    k = forms.IntegerField(
        min_value=1,
        max_value=1000,
        initial=10,
        error_messages={
            "required": "Say how many products.",
            "invalid": "Products must be a whole number from 1 to 1,000.",
            "min_value": "Products must be from 1 to 1,000.",
            "max_value": "Products must be from 1 to 1,000.",
        },
    )


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(
        max_length=80,
        help_text="The system that will use it, such as “web shop”.",
        error_messages={
            "required": "Name the system that will use the key.",
            "max_length": "Use at most 80 characters.",
        },
    )
