"""The form field of a name: held to the one rule for names, and never cut while it is typed or pasted."""

from __future__ import annotations

from typing import Any

from django import forms

from b2b_recs.engine.errors import BadInput
from b2b_recs.web.names import LONGEST_NAME, refuse_bad_name


class NameField(forms.CharField):
    """A name. Spaces around it are dropped; what ``names`` refuses is said beside the field, also by how much it is
    too long, so the browser is told no limit, at which it would cut what is pasted without a word.
    """

    def __init__(self, of: str, longest: int = LONGEST_NAME, **kwargs: Any) -> None:
        self.of, self.longest = of, longest
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        """The name, or "" for one that may be left out."""
        name = str(super().clean(value)).strip()
        if name:
            try:
                refuse_bad_name(name, self.of, self.longest)
            except BadInput as refusal:
                raise forms.ValidationError(str(refusal)) from None
        return name
