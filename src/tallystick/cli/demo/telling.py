"""How the demo talks: headings, ticks, amounts, and what a person calls a record."""

import sys
from decimal import Decimal

import click

from tallystick.cli.demo.caller import Answer


def called(record: Answer) -> str:
    """What a person calls a bill or a credit note."""
    number = record.get("reference") or record.get("billCreditNoteNumber") or record["id"][:8]
    return f"{number} ({record.get('supplierRef', {}).get('supplierName', 'no supplier')})"


def day(bill: Answer) -> str:
    return str(bill.get("dueDate", "-"))[:10]


def progress(line: str, *, last: bool) -> None:
    """One line that changes where a person watches, and only the last one elsewhere."""
    if sys.stdout.isatty():
        click.echo(f"\r{line}", nl=last)
    elif last:
        click.echo(line)


def money(amount: Decimal) -> str:
    """An amount as people write it: `1,184.80`, and more decimals only where there are any."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,}"


def say(text: str) -> None:
    click.echo(text)


def heading(text: str) -> None:
    click.echo("")
    click.secho(text, bold=True)


def done(text: str) -> None:
    click.echo(click.style("  ✓ ", fg="green") + text)
