"""Database connections for threads that live as long as the worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def on_fresh_connections(call: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, keeping no connection from call to call: the database may have restarted in between."""

    @wraps(call)
    def wrapped(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        close_old_connections()
        try:
            return call(*args, **kwargs)
        finally:
            close_old_connections()

    return wrapped
