"""`tallystick demo` as somebody sees it who tries Tallystick for the first time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_WITHIN_S = 180.0

# A firm with a supplier and an account, but without a bill to pay or a bank account of its own.
_BARE_BOOKS = """{
  "Organisation": [{"OrganisationID": "1", "BaseCurrency": "NZD", "CountryCode": "NZ"}],
  "Contacts": [{"ContactID": "6f3c1b0e-5d5b-4a39-9d51-2b7d4f7a0001", "Name": "Timber Yard",
    "ContactStatus": "ACTIVE", "IsSupplier": true, "IsCustomer": false}],
  "Accounts": [{"AccountID": "6f3c1b0e-5d5b-4a39-9d51-2b7d4f7a0002", "Code": "429",
    "Name": "General Expenses", "Type": "EXPENSE", "Class": "EXPENSE", "Status": "ACTIVE",
    "TaxType": "NONE"}],
  "TaxRates": [{"Name": "No VAT", "TaxType": "NONE", "Status": "ACTIVE", "EffectiveRate": 0,
    "DisplayTaxRate": 0, "CanApplyToExpenses": true, "TaxComponents": []}]}
"""


def _demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
    return subprocess.run(
        [sys.executable, "-m", "tallystick", "demo", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )


@pytest.fixture
def bare_books(tmp_path: Path) -> Path:
    path = tmp_path / "books.json"
    path.write_text(_BARE_BOOKS)
    return path


def test_the_demo_pays_three_ways_and_says_what_was_proved(bare_books: Path) -> None:
    done = _demo("--books", str(bare_books))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for way in ("by a credit note", "one bill by one payment", "by one batch payment"):
        assert f"{way}: " in done.stdout
    end = done.stdout.partition("What was proved\n")[2]
    assert "5 bills were paid or credited" in end
    assert "6 figures were read again at the platform" in end
    assert "signed webhooks" in end


def test_the_demo_says_in_the_words_of_serve_why_it_cannot_start(tmp_path: Path) -> None:
    path = tmp_path / "books.json"
    path.write_text("[]")

    done = _demo("--books", str(path))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "books.json holds no records" in done.stderr
