"""All benchmarks: `make bench`."""

from bench import ci, deploy, plan, podman, preflight, publish, tests

plan.main()
podman.main()
deploy.main()
preflight.main()
tests.main()
publish.main()
ci.main()
