"""`shopx sql`: read-only questions to the warehouse.

Put here: running one statement and showing its rows. Never here: statements of our own.
"""

import csv
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from psycopg import Connection

_TABLES = """
    select table_schema || '.' || table_name
    from information_schema.tables
    where table_schema in ('marts', 'core', 'ops')
    order by 1
"""


@click.command()
@click.argument("statement")
@click.option(
    "--role", type=click.Choice(["reader", "analyst"]), default="reader", help="analyst also sees core."
)
@click.option("--csv", "form", flag_value="csv", help="Rows as CSV.")
@click.option("--json", "form", flag_value="json", help="Rows as JSON.")
def sql(statement: str, role: str, form: str | None) -> None:
    """Ask the published figures, read-only.

    \b
    Example:  shopx sql "select sum(net_sales_cents) from marts.daily_sales"
    """
    import psycopg

    from orchestration.cli.opening import open_warehouse
    from orchestration.cli.screen import console, json_text, table
    from warehouse.errors import ShopxError

    with (
        open_warehouse() as warehouse,
        warehouse.connect("analyst" if role == "analyst" else "reader") as conn,
    ):
        try:
            cursor = conn.execute(statement.encode())
            columns = [column.name for column in cursor.description or []]
            rows = cursor.fetchall() if columns else []
        except psycopg.Error as problem:
            said = (problem.diag.message_primary or str(problem)).strip()
            hint = problem.diag.message_hint
            if isinstance(problem, psycopg.errors.UndefinedTable):
                hint = f"There are {_tables(conn)}"
            raise ShopxError(f"PostgreSQL answered: {said}{f'. {hint}' if hint else ''}") from None
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    elif form == "json":
        click.echo(json_text([dict(zip(columns, row, strict=True)) for row in rows]))
    else:
        console().print(table(None, columns, rows))
        click.echo(f"{len(rows):,} {'row' if len(rows) == 1 else 'rows'}", err=True)


def _tables(conn: "Connection[Any]") -> str:
    """The tables that this role can read."""
    conn.rollback()
    return ", ".join(name for (name,) in conn.execute(_TABLES).fetchall())
