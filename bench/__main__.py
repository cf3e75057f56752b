"""All benchmarks: `make bench`."""

from bench import plan, podman, tests

plan.main()
podman.main()
tests.main()
