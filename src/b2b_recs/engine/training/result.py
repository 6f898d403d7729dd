"""What a training leaves behind, as one JSON document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from b2b_recs.engine.evaluation.report import AlgorithmReport, Comparison, TestPeriod


class InService(BaseModel):
    """The recipe that answers now; it is fitted and measured again beside the new ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    algorithm: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class Evaluation(BaseModel):
    """Everything measured in one training, and what was chosen.

    ``chosen`` was picked on the validation period; ``best_on_test`` is shown beside it and decides nothing.
    ``comparisons`` hold the chosen one against every baseline and against ``in_service`` where there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    headline: str
    period: TestPeriod
    algorithms: tuple[AlgorithmReport, ...]
    chosen: str
    chosen_parameters: dict[str, Any]
    best_on_test: str
    in_service: AlgorithmReport | None = None
    comparisons: tuple[Comparison, ...] = ()

    def report(self, algorithm: str) -> AlgorithmReport | None:
        """The report of one algorithm."""
        return next((report for report in self.algorithms if report.algorithm == algorithm), None)

    def figures(self) -> dict[str, Any]:
        """The chosen algorithm's figures as plain JSON."""
        report = self.report(self.chosen)
        return report.model_dump(mode="json")["metrics"] if report is not None else {}

    def comparison(self, other: str, segment: str = "all") -> Comparison | None:
        """The chosen one against ``other``."""
        return next((each for each in self.comparisons if (each.other, each.segment) == (other, segment)), None)


class GateVerdict(BaseModel):
    """``passed``: the model may answer customers. ``deploy``: it should be put into service now.

    ``reasons`` are sentences, ``numbers`` the figures behind them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    passed: bool
    deploy: bool
    reasons: tuple[str, ...]
    numbers: dict[str, float | None] = Field(default_factory=dict)


class TrainingResult(BaseModel):
    """One training from first line to verdict. Artifact ids are SHA-256 in hex.

    ``artifact_id``: the bundle to serve; ``evaluation_artifact_id``: the figures of every customer and the lists
    that were tested. ``learnt_until``: the last order the model to serve learnt from, in microseconds since 1970-01-01
    UTC.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    evaluation: Evaluation
    artifact_id: str
    evaluation_artifact_id: str
    gate: GateVerdict
    rows: int
    customers: int
    products: int
    learnt_until: int
    seconds: float
    stage_seconds: dict[str, float]
    warnings: tuple[str, ...] = ()

    @property
    def algorithm(self) -> str:
        """The name of the chosen algorithm."""
        return self.evaluation.chosen

    @property
    def metrics(self) -> dict[str, Any]:
        """The chosen algorithm's figures as plain JSON."""
        return self.evaluation.figures()
