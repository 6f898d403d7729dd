"""``b2b-recs web``: the pages alone, for installations whose processes are started one by one."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    envvar="B2B_RECS_PORT",
    help="Port to listen on.",
)
def web(host: str, port: int) -> None:
    """Answer with the pages."""
    from b2b_recs.cli.serve import refuse_taken_port
    from b2b_recs.runtime.children import web_child
    from b2b_recs.runtime.environment import envint
    from b2b_recs.runtime.home import Home

    refuse_taken_port(host, port)
    child = web_child(Home.current().create(), host, port, threads=envint("B2B_RECS_WEB_THREADS", 8, 1, 256))
    click.echo(f"Pages on {child.address}")
    os.environ.update(child.env)
    os.execv(child.argv[0], child.argv)  # noqa: S606 - the server takes this process's place and gets its signals
