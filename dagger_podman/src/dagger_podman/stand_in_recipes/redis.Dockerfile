# stand-in for docker.io/library/redis:7-alpine
FROM debian:bookworm
RUN apt-get install -qq -y --no-install-recommends redis-server redis-tools \
 && rm -rf /var/lib/apt/lists /var/cache/apt \
 && mkdir -p /data && chown redis:redis /data
WORKDIR /data
USER redis
EXPOSE 6379
CMD ["redis-server", "--bind", "*", "--protected-mode", "no", "--save", ""]
