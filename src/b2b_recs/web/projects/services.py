"""Creating models. Call inside the organization's scope."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from b2b_recs.web.accounts.models import Organization, User
from b2b_recs.web.conflicts import NameTaken
from b2b_recs.web.etl.models import ETLConfiguration
from b2b_recs.web.names import refuse_taken
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
    try:
        with transaction.atomic():
            model = ModelEndpoint.objects.create(
                organization=organization,
                name=name,
                currency=currency,
                time_zone=time_zone,
                description=description,
                created_by=user,
            )
            ETLConfiguration.objects.create(organization=organization, model=model, time_zone=time_zone)
    except IntegrityError:  # two people pressed the button at once
        told = f"There is a model named “{name}” already."
        raise NameTaken(told, field="name", advice="Choose another name.") from None
    return model
