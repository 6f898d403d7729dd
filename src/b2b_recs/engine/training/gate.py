"""Whether a trained model may go into service. What is missing, unclear or unmeasured counts against it."""

from __future__ import annotations

import math
from typing import Literal

from b2b_recs.engine.evaluation.metrics import metric_title
from b2b_recs.engine.evaluation.report import Measure
from b2b_recs.engine.training.result import Evaluation, GateVerdict

POPULARITY = ("popular", "recent_popular")
REPEAT = "buy_again"


def judge(
    evaluation: Evaluation | None,
    *,
    artifact_problem: str | None,
    in_service: bool,
    deploy: Literal["when_better", "always", "never"] = "when_better",
) -> GateVerdict:
    """The verdict on one training.

    A model passes when its headline figure and interval exist, its artifact opens and answers
    (``artifact_problem`` is None; otherwise it says what is wrong), and the interval of the paired difference is not
    wholly below zero against each popularity baseline and, when a model is ``in_service``, against that one.
    How it compares with what each customer bought before is told where it was measured, and decides nothing.
    ``deploy="always"`` lets a model in that is worse, never one that is unmeasured or damaged.
    """
    broken: list[str] = []
    worse: list[str] = []
    fine: list[str] = []
    numbers: dict[str, float | None] = {}
    if artifact_problem is not None:
        broken.append(f"The model could not be opened as serving will open it: {artifact_problem}")
    if evaluation is None:
        broken.append("There is no evaluation.")
    else:
        _check_figure(evaluation, broken, fine, numbers)
        for other in POPULARITY:
            _check_difference(evaluation, other, _title(evaluation, other), broken, worse, fine, numbers)
        if evaluation.chosen != REPEAT:
            behind: list[str] = []
            _check_difference(evaluation, REPEAT, _title(evaluation, REPEAT), [], behind, fine, numbers)
            fine += [f"{words} That alone keeps no model out." for words in behind]
        if in_service:
            title = evaluation.in_service.title if evaluation.in_service else ""
            _check_difference(evaluation, "in_service", f"the model in service{title and f' ({title})'}",
                              broken, worse, fine, numbers)  # fmt: skip
    passed = not broken and not worse
    if deploy == "always":
        go = not broken
    else:
        go = passed and deploy == "when_better"
    reasons = [*broken, *worse, *fine]
    if deploy == "never":
        reasons.append("It is not put into service because deploy is never.")
    elif deploy == "always" and worse and go:
        reasons.append("It is put into service all the same because deploy is always.")
    return GateVerdict(passed=passed, deploy=go, reasons=tuple(reasons), numbers=numbers)


def _check_figure(evaluation: Evaluation, broken: list[str], fine: list[str], numbers: dict[str, float | None]) -> None:
    metric = metric_title(evaluation.headline)
    if evaluation.period.customers < 1:
        broken.append("The test period has no customers.")
    report = evaluation.report(evaluation.chosen)
    figure = report.metrics.get("all", {}).get(evaluation.headline) if report is not None else None
    if figure is None or not _finite(figure.value):
        broken.append(f"{metric} of {evaluation.chosen} was not measured.")
        return
    numbers[evaluation.headline] = figure.value
    if not _has_interval(figure):
        broken.append(
            f"{metric} has no interval, because only {evaluation.period.customers} customer was in the test period."
            if evaluation.period.customers == 1
            else f"{metric} has no interval."
        )
        return
    numbers[f"{evaluation.headline} low"], numbers[f"{evaluation.headline} high"] = figure.low, figure.high
    fine.append(f"{metric} is {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}].")


def _check_difference(
    evaluation: Evaluation,
    other: str,
    title: str,
    broken: list[str],
    worse: list[str],
    fine: list[str],
    numbers: dict[str, float | None],
) -> None:
    comparison = evaluation.comparison(other)
    difference = comparison.difference if comparison is not None else None
    if (
        comparison is None
        or difference is None
        or comparison.metric != evaluation.headline
        or comparison.model != evaluation.chosen
        or not _finite(difference.value)
        or not _has_interval(difference)
    ):
        broken.append(f"The comparison with {title} is missing.")
        return
    numbers[f"difference to {other}"] = difference.value
    words = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    if difference.high is not None and difference.high < 0:
        worse.append(f"It is worse than {title}: {words}.")
    elif difference.low is not None and difference.low > 0:
        fine.append(f"It is better than {title}: {words}.")
    else:
        fine.append(f"It is level with {title}: {words}.")


def _title(evaluation: Evaluation, algorithm: str) -> str:
    report = evaluation.report(algorithm)
    title = report.title if report is not None else algorithm
    return f"“{title}”"


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _has_interval(measure: Measure) -> bool:
    return (
        _finite(measure.low)
        and _finite(measure.high)
        and measure.low is not None
        and measure.high is not None
        and measure.low <= measure.high
    )
