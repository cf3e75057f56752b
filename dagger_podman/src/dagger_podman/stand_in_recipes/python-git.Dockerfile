# stand-in for docker.io/library/python:3.13
FROM debian:trixie
RUN apt-get install -qq -y --no-install-recommends git python3 python3-pip python3-venv \
 && ln -s python3 /usr/bin/python \
 && rm -rf /usr/lib/python3*/EXTERNALLY-MANAGED /usr/lib/python3*/config-* /var/lib/apt/lists /var/cache/apt
CMD ["python3"]
