"""The fields of the Dagger API, a file per type. Importing this package registers them."""

from . import (  # noqa: F401
    changeset,
    container,
    container_config,
    container_files,
    container_output,
    container_reading,
    directory,
    docker_healthcheck,
    env_file,
    file,
    function_call,
    git,
    host,
    json_value,
    search,
    secret,
    service,
    typedef,
)
