"""What every source promises of its connection: what a good one shows, how a bad one is refused, where it dials."""

from __future__ import annotations

from typing import Any

import pytest
from contract.asking import asked_of
from contract.leaks import leaks
from contract.lines import Arena
from contract.suite import Suite

from b2b_recs.engine import errors
from b2b_recs.engine.sources.contract import Source
from b2b_recs.engine.sources.registry import parse_parameters


class ConnectionContract(Suite):
    """Part of the contract of sources."""

    def dialled(self, arena: Arena) -> tuple[dict[str, Any], tuple[str, int]]:
        """Changes that name the server by a host without an address, and what has to be asked of the guard."""
        return {"host": "shop.invalid"}, ("shop.invalid", arena.parameters()["port"])

    def test_a_good_connection_shows_version_latency_and_tables(self, source: Source, lines: Arena) -> None:
        result = source.check()
        assert result.server_version
        assert 0 < result.latency_ms < 60_000
        assert lines.named("lines") in {table.name for table in result.tables}

    def test_a_bad_connection_is_refused_with_its_own_reason(
        self, lines: Arena, bad_connection: tuple[str, dict[str, Any], type[errors.EngineError], str]
    ) -> None:
        _, made, expected, field = bad_connection
        changes = {name: value(lines) if callable(value) else value for name, value in made.items()}
        with pytest.raises(expected) as caught, lines.open(**changes) as source:
            source.check()
        assert type(caught.value) is expected
        assert caught.value.field == field
        assert caught.value.advice
        assert leaks(caught.value, lines.parameters(**changes), self.declared().secret_fields) == []
        assert caught.value.__cause__ is None

    def test_a_bad_parameter_is_refused_naming_its_field(
        self, lines: Arena, bad_parameter: tuple[dict[str, Any], str]
    ) -> None:
        changes, field = bad_parameter
        with pytest.raises(errors.BadInput) as caught:
            parse_parameters(lines.type, lines.parameters(**changes))
        assert caught.value.field == field
        assert leaks(caught.value, changes, self.declared().secret_fields) == []

    def test_every_parameter_has_a_title_and_words_of_help(self, lines: Arena) -> None:
        declared = self.declared()
        for field in declared.Parameters.model_fields.values():
            assert field.title
            assert field.description
        given = lines.parameters()
        shown = repr(parse_parameters(lines.type, given))
        assert all(str(given[name]) not in shown for name in declared.secret_fields if given.get(name))

    def test_what_it_was_verified_against_and_how_to_allow_reading_is_told(self) -> None:
        declared = self.declared()
        assert declared.verified_against
        assert declared.grants
        assert declared.category in ("relational", "files", "nosql", "warehouses")
        assert bool(declared.extra) == bool(declared.driver)

    @asked_of(lambda suite: suite.dials)
    def test_the_address_that_was_checked_is_the_one_dialled(self, lines: Arena) -> None:
        changes, wanted = self.dialled(lines)
        asked: list[tuple[str, int]] = []

        def guarded(host: str, port: int) -> str:
            asked.append((host, port))
            return "127.0.0.1"

        parameters = parse_parameters(lines.type, lines.parameters(**changes))
        with self.declared().open(parameters, guarded) as source:
            assert source.tables()
        assert set(asked) == {wanted}

    @asked_of(lambda suite: suite.dials)
    def test_an_address_the_guard_refuses_is_never_dialled(self, lines: Arena) -> None:
        def refusing(host: str, port: int) -> str:
            raise errors.AddressForbidden(f"{host} is not public.", advice="Use another.", field="host")

        parameters = parse_parameters(lines.type, lines.parameters())
        with pytest.raises(errors.AddressForbidden), self.declared().open(parameters, refusing) as source:
            source.check()
