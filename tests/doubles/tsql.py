"""Expressions of Transact-SQL, as far as a client that reads writes them: parsed, typed, and worked out for a row.

Conversions, CASE, CONCAT, comparisons with lists, what a variant holds, and the methods of hierarchyid and of
shapes. NULL is what it is there: unknown in a comparison, nothing in CONCAT. Anything else is a syntax error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from doubles.tsql_conversions import NotConverted, converted
from doubles.tsql_types import MAX, Type, type_of

_TOKEN = re.compile(r"\s*(\[(?:[^\]]|\]\])*\]|N?'(?:[^']|'')*'|\d+|\w+|[(),.=])")
_LONG, _SHORT = Type("nvarchar", MAX), Type("nvarchar", 4000)
_WHOLE = Type("int")
# What a value of these types can be asked: the Python attribute that answers, and the type of the answer.
_METHODS = {"ToString": ("text", _SHORT), "STAsText": ("text", _LONG), "STSrid": ("system", _WHOLE)}
Row = Mapping[str, Any]


class SyntaxFault(Exception):
    """What is no expression, or is one that the double does not know."""


@dataclass(frozen=True)
class Place:
    """A place in a tree or a shape: its text, and the number of its reference system."""

    text: str
    system: int = 4326


@dataclass(frozen=True)
class Expression:
    """The type of an expression and its value for a row."""

    type: Type
    of: Callable[[Row], Any]
    name: str = ""


def parsed(text: str, columns: Mapping[str, Type]) -> list[Expression]:
    """A list of expressions over a table's columns. Raises SyntaxFault."""
    return _Parser(text, columns).items()


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, Type]) -> None:
        self._tokens = _TOKEN.findall(text)
        if re.sub(r"\s", "", text) != re.sub(r"\s", "", "".join(self._tokens)):
            raise SyntaxFault(text)
        self._at, self._columns = 0, columns

    def items(self) -> list[Expression]:
        found = self._list()
        if self._at != len(self._tokens):
            raise SyntaxFault(f"near {self._tokens[self._at]}")
        return found

    def _list(self) -> list[Expression]:
        found = [self._expression()]
        while self._took(","):
            found.append(self._expression())
        return found

    def _took(self, *words: str) -> bool:
        if self._tokens[self._at : self._at + len(words)] != list(words):
            return False
        self._at += len(words)
        return True

    def _need(self, *words: str) -> None:
        if not self._took(*words):
            raise SyntaxFault(f"{words} expected at {self._tokens[self._at : self._at + 5]}")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise SyntaxFault("the statement ends too soon")
        self._at += 1
        return str(self._tokens[self._at - 1])

    def _type(self) -> Type:
        text = self._next()
        if self._took("("):
            text += "("
            while not text.endswith(")"):
                text += self._next()
        return type_of(text)

    def _expression(self) -> Expression:
        word = self._next()
        if word.startswith("["):
            return self._asked(word[1:-1].replace("]]", "]"))
        if word.startswith(("'", "N'")):
            text = word.removeprefix("N")[1:-1].replace("''", "'")
            return Expression(Type("nvarchar", max(1, len(text))), lambda row: text)
        if word.isdigit():
            return Expression(_WHOLE, lambda row: int(word))
        known = {"CONVERT": self._convert, "CAST": self._cast, "CASE": self._case, "CONCAT": self._concat,
                 "SQL_VARIANT_PROPERTY": self._property}  # fmt: skip
        if word not in known:
            raise SyntaxFault(f"near {word}")
        if word != "CASE":
            self._need("(")
        return known[word]()

    def _asked(self, name: str) -> Expression:
        """A column, or a method of it."""
        if name not in self._columns:
            raise SyntaxFault(f"Invalid column name '{name}'")
        kind = self._columns[name]
        if not self._took("."):
            return Expression(kind, lambda row: row[name], name)
        method = self._next()
        if method not in _METHODS or (method == "ToString") != (kind.base == "hierarchyid"):
            raise SyntaxFault(f"{kind.base} has no {method}")
        attribute, answer = _METHODS[method]
        if method != "STSrid":
            self._need("(", ")")
        # A method of NULL is NULL.
        return Expression(answer, lambda row: None if row[name] is None else getattr(row[name], attribute))

    def _convert(self) -> Expression:
        target = self._type()
        self._need(",")
        inside, style = self._expression(), None
        if self._took(","):
            style = int(self._next())
        self._need(")")
        return Expression(target, lambda row: converted(inside.of(row), inside.type, target, style))

    def _cast(self) -> Expression:
        inside = self._expression()
        self._need("AS")
        target = self._type()
        self._need(")")
        return Expression(target, lambda row: converted(inside.of(row), inside.type, target, None))

    def _case(self) -> Expression:
        cases: list[tuple[Callable[[Row], bool], Expression]] = []
        while self._took("WHEN"):
            holds = self._condition()
            self._need("THEN")
            cases.append((holds, self._expression()))
        self._need("ELSE")
        cases.append((lambda row: True, self._expression()))
        self._need("END")
        kinds = [one.type for _, one in cases]
        if {kind.base for kind in kinds} != {"nvarchar"}:
            raise NotConverted("the branches of a CASE are not all text")
        return Expression(_widest(kinds), lambda row: next(one.of(row) for holds, one in cases if holds(row)))

    def _condition(self) -> Callable[[Row], bool]:
        left = self._expression()
        negated = self._took("NOT")
        if self._took("IN", "("):
            right = self._list()
            self._need(")")
        else:
            self._need("=")
            right = [self._expression()]

        def holds(row: Row) -> bool:
            value = left.of(row)
            # What is compared with NULL is neither true nor false.
            return value is not None and (value in [one.of(row) for one in right]) is not negated

        return holds

    def _concat(self) -> Expression:
        parts = self._list()
        self._need(")")

        def joined(row: Row) -> str:
            values = ((one.of(row), one.type) for one in parts)
            return "".join(converted(value, kind, _LONG, None) for value, kind in values if value is not None)

        return Expression(_widest([one.type for one in parts if one.type.base == "nvarchar"]), joined)

    def _property(self) -> Expression:
        inside = self._expression()
        self._need(",", "'BaseType'", ")")
        answer = Type("sql_variant")

        def base(row: Row) -> Any:
            value = inside.of(row)
            return None if value is None else (Type("sysname"), value[0].base)

        return Expression(answer, base)


def _widest(kinds: list[Type]) -> Type:
    sizes = [kind.size for kind in kinds]
    return _LONG if MAX in sizes else Type("nvarchar", min(4000, max(sizes)))
