"""Named moments of copying, training and deploying, so that a test can end the process at exactly one of them."""

from __future__ import annotations

from collections.abc import Callable

hook: Callable[[str], None] | None = None


def step(name: str) -> None:
    """Tell the hook, when there is one, that the named moment is reached."""
    if hook is not None:
        hook(name)
