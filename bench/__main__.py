"""All benchmarks: `make bench`."""

from bench import plan, podman, preflight, tests

plan.main()
podman.main()
preflight.main()
tests.main()
