#!/bin/sh
# Starts responders on a unix socket, in the foreground, without systemd.
# multiwatch starts another for one that dies; the log is standard error.
# Only the web server's user may open the socket: leave that as it is.
set -eu
set -a
# shellcheck source=/dev/null
. /etc/logplex-statsd.env
set +a
install -d -m 0700 -o www-data -g www-data /run/logplex-statsd
export FRAMES_FILE=/run/logplex-statsd/frames
# How many: 8 for HAProxy, which does not wait for the whole of a large body.
responders=2
exec spawn-fcgi -n -s /run/logplex-statsd.sock -b 1024 \
	-M 0600 -U www-data -G www-data -u www-data -g www-data \
	-- /usr/bin/multiwatch -f "$responders" -- /usr/local/bin/logplex-statsd
