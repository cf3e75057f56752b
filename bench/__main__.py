"""All benchmarks: `make bench`."""

from bench import ci, plan, podman, preflight, publish, tests

plan.main()
podman.main()
preflight.main()
tests.main()
publish.main()
ci.main()
