# stand-in for docker.io/library/node:18-alpine
FROM debian:bookworm AS npm
RUN apt-get install -qq -y --no-install-recommends nodejs npm
RUN npm install --global --prefix /npm npm@10.8.2

FROM debian:bookworm
RUN apt-get install -qq -y --no-install-recommends nodejs \
 && rm -rf /var/lib/apt/lists /var/cache/apt \
 && groupadd --gid 1000 node \
 && useradd --uid 1000 --gid node --create-home --shell /bin/sh node
COPY --from=npm /npm /usr/local
CMD ["node"]
