# stand-in for quay.io/skopeo/stable:v1.18.0
FROM debian:trixie
RUN apt-get install -qq -y --no-install-recommends skopeo ca-certificates \
 && rm -rf /var/lib/apt/lists /var/cache/apt
ENTRYPOINT ["/usr/bin/skopeo"]
