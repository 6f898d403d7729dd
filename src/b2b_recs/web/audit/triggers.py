"""Triggers in migrations, added and removed without building the models around them anew.

The library's own operations let Django build the model and all its neighbours again for each trigger, which was a
third of the time a new database takes; a trigger changes no model.
"""

from __future__ import annotations

from typing import Any

from pgtrigger import migrations


class AddTrigger(migrations.AddTrigger):
    """Creates a trigger on a model's table."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Note the trigger, for migrations that are yet to be written."""
        options = state.models[app_label, self.model_name].options
        options["triggers"] = [*options.get("triggers", []), self.trigger]


class RemoveTrigger(migrations.RemoveTrigger):
    """Takes a trigger away from a model's table."""

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Forget the trigger."""
        options = state.models[app_label, self.model_name].options
        options["triggers"] = [one for one in options.get("triggers", []) if one.name != self.name]
