"""``b2b-recs sign-in-link`` and ``b2b-recs api-key``: the two ways in, each shown once."""

from __future__ import annotations

import click

from b2b_recs.cli.context import model_named, organization_named, organization_option, set_up_django
from b2b_recs.cli.stack import needed
from b2b_recs.engine.errors import BadInput
from b2b_recs.runtime.environment import envport
from b2b_recs.runtime.home import Home
from b2b_recs.runtime.state import running

SCOPES = ("recommend", "read", "write")


@click.command()
@click.option("--email", help="Whose link; the owner's when not given.")
@click.option(
    "--minutes", type=click.IntRange(1, 7 * 24 * 60), default=60, show_default=True, help="How long it works."
)
def sign_in_link(email: str | None, minutes: int) -> None:
    """Print a link that signs in once."""
    with needed():
        set_up_django("web")
        click.echo(f"Sign in once, within {minutes} minutes: {new_link(email, minutes)}")


def new_link(email: str | None = None, minutes: int = 60) -> str:
    """A fresh address that signs in once. Raises BadInput for an unknown address. Django is set up by the caller."""
    from b2b_recs.web.accounts.bootstrap import ensure_owner
    from b2b_recs.web.accounts.models import User
    from b2b_recs.web.accounts.sign_in_links import create_link

    if email is None:
        user = ensure_owner()[0]
    else:
        found = User.objects.filter(email=email.strip().lower(), is_active=True).first()
        if found is None:
            raise BadInput(
                f"There is no account with the address {email}.", field="email", advice="Check the spelling."
            )
        user = found
    return f"{web_address()}{create_link(user, minutes)}"


def web_address() -> str:
    """Where the pages are: of what runs here, else where they would be."""
    here = running(Home.current())
    return here.address if here and here.address else f"http://127.0.0.1:{envport('B2B_RECS_PORT', 8000)}"


@click.command()
@click.argument("model")
@click.option("--name", default="command line", show_default=True, help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=("recommend",),
    show_default=True,
    help="What it may do, once for each: ask for recommendations, look (read), change and run (write).",
)
@organization_option
def api_key(model: str, name: str, scopes: tuple[str, ...], organization: str | None) -> None:
    """Create a key of MODEL for programs, to ask for recommendations or to use the API; it is shown once."""
    with needed():
        set_up_django("web")
        click.echo(new_key(model, name, organization, scopes))


def new_key(model: str, name: str, organization: str | None = None, scopes: tuple[str, ...] = ("recommend",)) -> str:
    """The text of a fresh key of a model, accepted by what serves it. Django is set up by the caller."""
    from b2b_recs.web.accounts.api_keys import create_key
    from b2b_recs.web.deployments.pointers import sync_pointers
    from b2b_recs.web.deployments.services import active_deployment, wait_until_serving
    from b2b_recs.web.tenancy import scope

    owner = organization_named(organization)
    with scope(owner.id):
        found = model_named(model)
        _, text = create_key(name, scopes=scopes, model=found)
        deployment = active_deployment(found)
    sync_pointers(owner.id)
    if deployment is not None and "recommend" in scopes:  # serving looks for new keys four times a second
        wait_until_serving(found, f"v{deployment.trained_model.number}", lambda: False, seconds=3.0, key=text)
    return text


def fresh_key(organization_id: int, model: str, name: str, scopes: tuple[str, ...] = ("recommend",)) -> str:
    """The text of a new key in place of the ones of that name made before. Django is set up by the caller."""
    from b2b_recs.web.accounts.api_keys import revoke_key
    from b2b_recs.web.accounts.models import ApiKey
    from b2b_recs.web.tenancy import scope

    with scope(organization_id):
        for key in ApiKey.objects.filter(name=name, revoked_at=None):
            revoke_key(key)
    return new_key(model, name, scopes=scopes)
