"""What is decided before any target is asked."""

from unittest.mock import AsyncMock

import anyio

from prodgy_ci.catalog.load import builtin
from prodgy_ci.deploy import run
from prodgy_ci.deploy.where import Where
from prodgy_ci.images.record import Images


def test_a_commit_that_changes_no_service_deploys_nothing_and_succeeds() -> None:
    catalog = builtin()
    where = Where(catalog, catalog.environments["development"], variables={}, registry=AsyncMock())
    images = Images(registry="r.example.com", environment="development", commit="ab" * 20, images={})
    made = anyio.run(run.deploy, where, images)
    assert made.succeeded and made.result == "unchanged" and made.services == {} and made.commit == "ab" * 20
    described, text = anyio.run(run.describe, where, images)
    assert described == made and text == ""
