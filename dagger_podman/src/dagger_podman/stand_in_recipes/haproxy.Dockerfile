# stand-in for docker.io/library/haproxy:3.0-alpine
# Debian's HAProxy is version 2.6.
FROM debian:bookworm
RUN apt-get install -qq -y --no-install-recommends haproxy \
 && rm -rf /var/lib/apt/lists /var/cache/apt
USER haproxy
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
