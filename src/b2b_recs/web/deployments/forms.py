"""Forms of the try-it panel and of API keys."""

from __future__ import annotations

from typing import Any

from django import forms

from b2b_recs.web.accounts.models import ApiKey
from b2b_recs.web.name_field import NameField
from b2b_recs.web.projects.models import ModelEndpoint


class AskForm(forms.Form):
    """One question to the endpoint."""

    customer = forms.CharField(
        max_length=256,
        error_messages={"required": "Type a customer.", "max_length": "An id has at most 256 characters."},
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

    name = NameField(
        "a key",
        80,
        help_text="The system that will use it, such as “web shop”.",
        error_messages={"required": "Name the system that will use the key."},
    )


class OrganizationKeyForm(KeyForm):
    """A new API key of the organization: what it may do, and for which model."""

    scopes = forms.MultipleChoiceField(
        label="May",
        choices=ApiKey.Scope.choices,
        initial=[ApiKey.Scope.RECOMMEND],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose at least one thing the key may do.",
            "invalid_choice": "Choose from the list.",
        },
    )
    model = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label="All models",
        help_text="A key for one model sees and asks nothing else.",
        error_messages={"invalid_choice": "Choose a model of the list."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = ModelEndpoint.objects.order_by("name")
