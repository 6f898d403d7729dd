"""Creating models. Call inside the organization's scope."""

from __future__ import annotations

from b2b_recs.web.accounts.models import Organization, User
from b2b_recs.web.etl.models import ETLConfiguration
from b2b_recs.web.names import naming, refuse_taken
from b2b_recs.web.projects.models import ModelEndpoint


def create_model(
    organization: Organization,
    user: User | None,
    name: str,
    *,
    currency: str = "EUR",
    time_zone: str = "UTC",
    description: str = "",
) -> ModelEndpoint:
    """A new model with its ETL settings. Raises NameTaken when the name is taken, in any case of letters."""
    refuse_taken(ModelEndpoint.objects.all(), name, "model")
    with naming("model", name):
        model = ModelEndpoint.objects.create(
            organization=organization,
            name=name,
            currency=currency,
            time_zone=time_zone,
            description=description,
            created_by=user,
        )
        ETLConfiguration.objects.create(organization=organization, model=model, time_zone=time_zone)
    return model
