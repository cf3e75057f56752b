"""All benchmarks: `make bench`."""

from bench import plan, podman

plan.main()
podman.main()
