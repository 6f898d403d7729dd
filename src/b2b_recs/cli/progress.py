"""Progress of a pipeline run: bars on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from b2b_recs.engine.counting import counted

if TYPE_CHECKING:
    from b2b_recs.web.etl.models import ETLRun
    from b2b_recs.web.training.models import PipelineRun


class Watching:
    """Shows nothing; the kinds below show."""

    def show(self, run: PipelineRun, copies: Sequence[ETLRun]) -> None:
        """The run as it is now."""


class Lines(Watching):
    """One line to standard error whenever something moves on."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def show(self, run: PipelineRun, copies: Sequence[ETLRun]) -> None:
        """Say what has not been said yet."""
        for copy in copies:
            if copy.is_over:
                rows = counted(copy.rows_loaded, "row") if copy.status in ("completed", "partial") else copy.error
                self._say(f"{copy.data_source.name}: {copy.get_status_display().lower()}, {rows}")
        for stage in run.stages:
            if stage["state"] in ("done", "failed", "skipped") and stage["name"] != "copy":
                took = f" ({stage['seconds']:.1f} s)" if stage.get("seconds") else ""
                self._say(f"{stage['name']}: {stage['state']}{took} {stage.get('detail', '')}".rstrip())

    def _say(self, line: str) -> None:
        if line not in self.said:
            self.said.add(line)
            click.echo(line, err=True)


class Bars(Watching):
    """A bar for every copy and every stage."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.bars: dict[str, TaskID] = {}

    def show(self, run: PipelineRun, copies: Sequence[ETLRun]) -> None:
        """Move the bars to where the run is."""
        for copy in copies:
            expected = copy.rows_expected or None
            detail = counted(copy.rows_read, "row") if copy.rows_read else copy.get_status_display().lower()
            done = expected if copy.is_over and expected else min(copy.rows_read, expected or copy.rows_read)
            self._move(f"copy {copy.data_source.name}", done, expected if expected else (1 if copy.is_over else None),
                       detail, copy.is_over)  # fmt: skip
        for stage in run.stages:
            if stage["name"] == "copy" or stage["state"] == "waiting":
                continue
            over = stage["state"] in ("done", "failed", "skipped")
            fraction = 1.0 if over else (run.fraction or 0.0)
            self._move(stage["name"], fraction, 1.0, stage.get("detail", ""), over)

    def _move(self, name: str, done: float, total: float | None, detail: str, over: bool) -> None:
        if name not in self.bars:
            self.bars[name] = self.progress.add_task(name, total=total, detail="")
        self.progress.update(
            self.bars[name], completed=total if over and total else done, total=total, detail=detail[:80]
        )
        if over:
            self.progress.stop_task(self.bars[name])


@contextmanager
def watching() -> Iterator[Watching]:
    """The kind of display that suits where the output goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as progress:
        yield Bars(progress)
