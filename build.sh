#!/bin/sh
# Builds one service's image into the local store: with dagger where its engine answers, else with dagger-podman.
set -eu
service=${1:?name the service to build, such as engine}
image=prodgy-$service
started=$(date +%s)
if command -v dagger >/dev/null && timeout 120 dagger core version >/dev/null 2>&1; then
    runner=dagger store=$(command -v docker || command -v podman)
else
    runner=dagger-podman store=podman
fi
case $store in
    *docker) digest='{{json .RepoDigests}}' ;; # it gives an image a digest when it is pushed
    *) digest='{{.Digest}}' ;;
esac
echo "Building $image with $runner" >&2
"$runner" call build --service "$service" export-image --name "$image"
"$store" image inspect --format "image   $image
id      {{.Id}}
digest  $digest
bytes   {{.Size}}" "$image"
echo "seconds $(($(date +%s) - started))"
