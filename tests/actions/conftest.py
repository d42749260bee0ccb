"""Database servers that the tests of actions share; each test has a database of its own in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mariadb import MariaDB, running_mariadb
from tests.postgresql import PostgreSQL, running_postgresql


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    with running_mariadb() as running:
        yield running


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running_postgresql() as running:
        yield running
