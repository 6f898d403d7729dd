"""The form behind "Create model"."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from django import forms

from b2b_recs.web.name_field import NameField

CURRENCIES = {
    "EUR": "EUR, euro", "GBP": "GBP, pound sterling", "USD": "USD, US dollar", "AED": "AED, UAE dirham",
    "AUD": "AUD, Australian dollar", "BRL": "BRL, Brazilian real", "CAD": "CAD, Canadian dollar",
    "CHF": "CHF, Swiss franc", "CNY": "CNY, yuan", "CZK": "CZK, Czech koruna", "DKK": "DKK, Danish krone",
    "HUF": "HUF, forint", "INR": "INR, Indian rupee", "JPY": "JPY, yen", "MXN": "MXN, Mexican peso",
    "NOK": "NOK, Norwegian krone", "NZD": "NZD, New Zealand dollar", "PLN": "PLN, zloty", "RON": "RON, leu",
    "SEK": "SEK, Swedish krona", "SGD": "SGD, Singapore dollar", "TRY": "TRY, Turkish lira",
    "UAH": "UAH, hryvnia", "ZAR": "ZAR, rand",
}  # fmt: skip
ZONES = sorted(
    zone
    for zone in available_timezones()
    if zone == "UTC" or re.match(r"(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/", zone)
)


class ModelForm(forms.Form):
    """A new model. Errors name the field and say what to type."""

    name = NameField(
        "a model",
        help_text="What your colleagues call this assortment, such as “Giftware wholesale”.",
        error_messages={"required": "Give the model a name."},
    )
    currency = forms.ChoiceField(
        choices=list(CURRENCIES.items()),
        initial="EUR",
        help_text="Of the revenue in your orders.",
        error_messages={"invalid_choice": "Choose a currency of the list."},
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=[(zone, zone.replace("_", " ")) for zone in ZONES],
        initial="UTC",
        help_text="Of schedules and of the times shown.",
        error_messages={"invalid_choice": "Choose a time zone of the list."},
    )
    description = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"max_length": "Use at most 500 characters."},
    )
