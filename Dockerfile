# logplex-statsd behind lighttpd, for Heroku's container stack or any other
# place that runs containers:
#
#   docker build -t logplex-statsd .
#   docker run -p 3000:3000 -e METRICS_CLUSTER=... -e API_SECRET=... logplex-statsd

FROM ubuntu:24.04 AS build
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      gcc make libc6-dev libfcgi-dev libsodium-dev zlib1g-dev
WORKDIR /src
COPY Makefile ./
COPY src src/
RUN make -s bin/logplex-statsd FCGI_LIBS=-l:libfcgi.a LDFLAGS=-s

FROM ubuntu:24.04
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      lighttpd libsodium23 zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
WORKDIR /app
COPY lighttpd.conf ./
COPY bin/web bin/responder bin/
COPY --from=build /src/bin/logplex-statsd bin/
# Not an account of the image: a number that owns nothing.
USER 10001:10001
ENV PORT=3000
EXPOSE 3000
# bin/web finishes the current requests; docker stop should wait 30 s for that.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /_ping HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
CMD ["bin/web"]
