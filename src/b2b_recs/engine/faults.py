"""Named steps at which a test may stop, delay or kill the process; nothing happens unless a hook is installed."""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def install(hook: Callable[[str], None] | None) -> None:
    """Call ``hook`` with the name of every step from now on; None takes it away."""
    global _hook  # noqa: PLW0603 - one switch for the process
    _hook = hook


def step(name: str) -> None:
    """The process has come to the step ``name``."""
    if _hook is not None:
        _hook(name)
