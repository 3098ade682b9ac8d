"""The committed picture of the database is what the migrations make."""

from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tallystick.db import migrate

_SCHEMA = Path(migrate.__file__).with_name("schema.sql")

_COLUMNS = """
select table_name, column_name, data_type, is_nullable, column_default
from information_schema.columns where table_schema = 'public' order by 1, 2
"""
_INDEXES = (
    "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 2"
)
_RULES = """
select conrelid::regclass::text, contype::text, pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'public'::regnamespace order by 1, 2, 3
"""


def _shape(url: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(url) as db:
        return {
            question: [
                row
                for row in db.execute(question).fetchall()
                if not str(row[0]).startswith(("procrastinate", "migration"))
            ]
            for question in (_COLUMNS, _INDEXES, _RULES)
        }


@pytest.mark.usefixtures("database_url")
def test_all_migrations_make_exactly_the_schema(database_url: str, server_url: str) -> None:
    name = "tally_schema_" + str(abs(hash(database_url)))
    with psycopg.connect(server_url, autocommit=True) as db:
        db.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    from_schema = psycopg.conninfo.make_conninfo(server_url, dbname=name)
    try:
        with psycopg.connect(from_schema) as db:
            db.execute(_SCHEMA.read_text())

        assert _shape(from_schema) == _shape(database_url)
    finally:
        with psycopg.connect(server_url, autocommit=True) as db:
            db.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [migration.number for migration in migrate.migrations()]

    assert numbers == list(range(1, len(numbers) + 1))
