"""What a training does: which algorithms, which test period, when its model may go into service."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from b2b_recs.engine.algorithms.registry import ALGORITHMS
from b2b_recs.engine.counting import percent
from b2b_recs.engine.evaluation.metrics import METRICS


class TestSplit(BaseModel):
    """The test period: the last ``test_days`` days, or the last ``test_share`` of the order lines. One of the two."""

    __test__ = False  # its name makes the test runner look for tests in it
    model_config = ConfigDict(extra="forbid", frozen=True)
    test_days: int | None = Field(default=None, ge=1, le=3650)
    test_share: float | None = Field(default=None, gt=0, le=0.5)

    @model_validator(mode="after")
    def _one(self) -> TestSplit:
        if (self.test_days is None) == (self.test_share is None):
            raise ValueError("give either test_days or test_share")
        return self

    @property
    def field(self) -> str:
        """The name of the setting that was given."""
        return "test_days" if self.test_days is not None else "test_share"

    @property
    def title(self) -> str:
        """The one that is given as people read it: as the page calls it, and as a project file does."""
        return "“Days to test on” (test_days)" if self.test_days is not None else self.field

    def words(self) -> str:
        """The test period as people say it."""
        if self.test_days is not None:
            return "the last day" if self.test_days == 1 else f"the last {self.test_days} days"
        return f"the last {percent(self.test_share or 0)} of the order lines"


class TrainingSpec(BaseModel):
    """Everything a training needs besides the data.

    ``algorithms``: ``auto`` tries all; a list limits the choice (baselines are measured beside in any case).
    ``parameters``: settings per algorithm; an algorithm named here is not tuned. ``headline``: the metric that tunes,
    chooses and decides the gate. ``deploy``: put the model into service when it passes, always when it is intact, or
    never. ``refit``: serve a model fitted on ``all`` orders, or the very one that was tested.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    algorithms: Literal["auto"] | tuple[str, ...] = "auto"
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    split: TestSplit = TestSplit(test_days=30)
    headline: str = "ndcg@10"
    deploy: Literal["when_better", "always", "never"] = "when_better"
    refit: Literal["all", "training"] = "all"
    seed: int = Field(default=0, ge=0, le=2**31 - 1)

    @field_validator("algorithms")
    @classmethod
    def _known(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value == "auto":
            return value
        unknown = [name for name in value if name not in ALGORITHMS]
        if unknown or not value:
            named = f"there is no algorithm {unknown[0]!r}; " if unknown else ""
            raise ValueError(f"{named}use auto, or one or more of {', '.join(ALGORITHMS)}")
        return tuple(dict.fromkeys(value))

    @field_validator("parameters")
    @classmethod
    def _known_parameters(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, settings in value.items():
            if name not in ALGORITHMS:
                raise ValueError(f"there is no algorithm {name!r}; use one of {', '.join(ALGORITHMS)}")
            ALGORITHMS[name].Parameters.model_validate(settings)
        return value

    @field_validator("headline")
    @classmethod
    def _metric(cls, value: str) -> str:
        if value not in METRICS or value.startswith("novelty"):
            usable = [name for name in METRICS if not name.startswith("novelty")]
            raise ValueError(f"{value!r} cannot lead; use one of {', '.join(usable)}")
        return value

    @property
    def eligible(self) -> tuple[str, ...]:
        """The algorithms that may be chosen."""
        return tuple(ALGORITHMS) if self.algorithms == "auto" else tuple(self.algorithms)
