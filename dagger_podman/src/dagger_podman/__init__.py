"""The Dagger API served from Podman: `dagger-podman call …` runs a Dagger module with no Dagger engine."""
