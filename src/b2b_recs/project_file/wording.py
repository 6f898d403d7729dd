"""A validation error in the words of this product: what is wrong with the value, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.project_file.names import nearest
from b2b_recs.project_file.problems import Document, Path, Problem
from b2b_recs.project_file.schema import ConnectionSection, ProjectFile

# what a value that may have several shapes must be; a list of each shape's own error would help nobody
SHAPES = {
    "algorithms": "auto, or a list of algorithm names",
    "backfill": "all, a number of days, or a date such as 2024-01-31",
    "load": "catalog, files, {transactional: {cursor: …}} or {merge: {cursor: …, key: …}}",
    "value": "text, a number, true, false, or a list of texts",
    "day": "a number from 1 to 31, or last",
}
WORDS = {
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list, such as [a, b]",
    "list_type": "must be a list, such as [a, b]",
    "dict_type": "must be a set of names and values",
    "model_type": "must be a set of names and values",
    "model_attributes_type": "must be a set of names and values",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
}
PARAMETERS = ("pipeline", "parameters")
PATTERNS = {
    "currency": "must be a currency code of three capital letters, such as EUR",
    "env": "must be the name of an environment variable: letters, digits and _",
    "destination": "must be a warehouse table name: letters, digits and _, not starting with a digit",
}


def problems_of(error: ValidationError, document: Document) -> list[Problem]:
    """One problem per place in the file."""
    by_place: dict[Path, list[Any]] = {}
    for one in error.errors(include_url=False):
        place, known = _place(one["loc"], document)
        absent = one["type"] == "missing" and not known
        by_place.setdefault((*place, str(one["loc"][-1])) if absent else place, []).append(one)
    return [_problem(place, errors, document) for place, errors in by_place.items()]


def _place(loc: tuple[str | int, ...], document: Document) -> tuple[Path, bool]:
    """The part of the file an error speaks of, and whether its last name stands there (it does not when missing).

    Parts of ``loc`` that are not in the file name a branch of a choice and are passed over.
    """
    path: Path = ()
    known = True
    for part in _with_algorithm(loc, document):
        known = document.has((*path, part))
        if known:
            path = (*path, part)
    return path, known


def _problem(place: Path, errors: list[Any], document: Document) -> Problem:
    first = errors[0]
    kind, name = first["type"], str(place[-1]) if place else ""
    if kind == "missing":
        return document.problem(place, "This is missing.", f"Add '{name}: …'.")
    if kind == "extra_forbidden":
        return document.problem(place, "There is no such setting.", _instead(name, place[:-1]))
    if kind == "value_error":
        return _refused(place, str(first["msg"]).removeprefix("Value error, "), document)
    if name in SHAPES and (len(errors) > 1 or kind.startswith("union_tag") or kind == "literal_error"):
        return document.problem(place, f"{_shown(place, document)}must be {SHAPES[name]}.")
    if kind in ("literal_error", "enum"):
        return _choice(place, first, document)
    if kind == "string_pattern_mismatch":
        return document.problem(place, f"{_shown(place, document)}{PATTERNS.get(name, 'has a form not allowed here')}.")
    words = WORDS.get(kind)
    text = words.format(**first.get("ctx", {})) if words else str(first["msg"])[:1].lower() + str(first["msg"])[1:]
    return document.problem(place, f"{_shown(place, document)}{text}.")


def _refused(place: Path, message: str, document: Document) -> Problem:
    """The words of one of our own checks, after the value unless they hold it already."""
    shown = _shown(place, document).rstrip()
    words = message if message.endswith((".", "?")) else f"{message}."
    return document.problem(place, words if not shown or shown in words else f"{shown}: {words}")


def _with_algorithm(loc: tuple[str | int, ...], document: Document) -> tuple[str | int, ...]:
    """The place of one algorithm's own setting, which its error gives without the algorithm's name."""
    if loc[:2] != PARAMETERS or len(loc) < 3 or document.has(loc[:3]):
        return loc
    given = document.value(PARAMETERS).items()
    algorithm = next((name for name, settings in given if _refuses(name, settings, str(loc[2]))), None)
    return loc if algorithm is None else (*PARAMETERS, algorithm, *loc[2:])


def _refuses(algorithm: str, settings: Any, setting: str) -> bool:
    """Whether that algorithm refuses these settings because of that one."""
    try:
        ALGORITHMS[algorithm].Parameters.model_validate(settings)
    except ValidationError as error:
        return any(one["loc"][:1] == (setting,) for one in error.errors(include_url=False))
    return False


def _choice(place: Path, error: Mapping[str, Any], document: Document) -> Problem:
    expected = str(error["ctx"]["expected"]).replace("'", "")
    like = nearest(str(error["input"]), expected.replace(" or ", ", ").split(", "))
    advice = f"Did you mean {like}?" if like else ""
    return document.problem(place, f"{_shown(place, document)}must be {expected}.", advice)


def _instead(name: str, parent: Path) -> str:
    models = _models(ProjectFile, parent)
    if parent[:2] == PARAMETERS and len(parent) == 3:
        models = [ALGORITHMS[str(parent[2])].Parameters]
    known = sorted({key for model in models for key in _keys(model)})
    like = nearest(name, known)
    if like:
        return f"Did you mean {like}?"
    return f"Use {', '.join(known)}." if known else "Remove it."


def _shown(place: Path, document: Document) -> str:
    """The value, in front of what is said about it; never one of a connection, which may be a password."""
    if not place or (place[0] == "connections" and len(place) > 2 and place[2] != "type"):
        return ""
    value = document.value(place)
    if isinstance(value, dict | list) or value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{text[:60]!r} " if isinstance(value, str) else f"{text[:60]} "


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models(annotation: Any, path: Path) -> list[type[BaseModel]]:
    """The models that may stand at ``path`` below ``annotation``."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _models(get_args(annotation)[0], path)
    if origin in (Union, UnionType):
        return [model for branch in get_args(annotation) for model in _models(branch, path)]
    if origin in (tuple, dict):
        inner = get_args(annotation)[1 if origin is dict else 0]
        return _models(inner, path[1:]) if path else []
    if origin is Literal or not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return []
    if not path:
        return [annotation]
    if annotation is ConnectionSection:
        return []
    for name, field in annotation.model_fields.items():
        if (field.alias or name) == path[0]:
            return _models(field.annotation, path[1:])
    return []
