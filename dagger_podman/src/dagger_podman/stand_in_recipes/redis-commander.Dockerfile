# stand-in for docker.io/rediscommander/redis-commander:latest
# REDIS_HOSTS may name one host, as label:host:port.
FROM debian:bookworm
RUN apt-get install -qq -y --no-install-recommends nodejs npm
RUN npm install --global --no-audit --no-fund redis-commander@0.9.0
USER 1000
EXPOSE 8081
CMD ["sh", "-c", "set -- $(echo \"$REDIS_HOSTS\" | tr : ' '); exec redis-commander --redis-label $1 --redis-host $2 --redis-port ${3:-6379}"]
