"""The table of services."""

from prodgy_ci.catalog import load
from prodgy_ci.images.listing import table

TOML = """
builtin = false
[services.shop]
kind = "node"
dockerfile = "Dockerfile.shop"
[services.help-pages]
kind = "static"
target = "static-web-app"
dockerfile = "apps/help-pages/Dockerfile"
"""


def test_each_service_has_one_line() -> None:
    assert table(load(TOML)).splitlines() == [
        "NAME        KIND    PATHS                       IMAGE              TARGET",
        "shop        node    apps/shop/ Dockerfile.shop  prodgy-shop        container-app",
        "help-pages  static  apps/help-pages/            prodgy-help-pages  static-web-app",
    ]
