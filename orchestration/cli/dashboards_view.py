"""`shopx dashboards view`: the dashboards alone, in the foreground.

Put here: what people see of that server.
Never here: the server (dashboards/server.py), a session with Dagster (up.py).
"""

import click


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="Else SHOPX_DASHBOARDS_PORT, or a free one."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; beyond loopback needs SHOPX_API_TOKEN.",
)
def view(*, port: int | None, host: str) -> None:
    """Serve the dashboards and the KPI API alone; Ctrl-C stops.

    \b
    Example:  shopx dashboards view --port 8080
    """
    from dashboards.server import serve
    from orchestration.services import free_port
    from warehouse.settings import load_settings

    settings = load_settings()
    port = port or free_port(settings.dashboards_port)
    click.echo(f"Dashboards: http://{host}:{port}/   Ctrl-C stops")
    serve(settings, host=host, port=port)
