# Random good, odd and hostile requests for SECONDS: make soak SECONDS=3600.

SECONDS = 20

.PHONY: soak
soak:
	@SOAK_SECONDS=$(SECONDS) pytest-3 -s tests/faults/test_soak.py

# Senders like Logplex for SECONDS, while all else comes and goes.
.PHONY: once
once:
	@ONCE_SECONDS=$(SECONDS) LOGPLEX_STATSD_NAMESPACE=1 \
	    unshare --net --mount $$(test "$$(id -u)" = 0 || echo --map-root-user) \
	    sh -c 'ip link set lo up && exec pytest-3 -s tests/faults/test_once.py'

# Senders like Logplex, while so many responders are killed.
KILLS = 100

.PHONY: kills
kills:
	@KILLS=$(KILLS) pytest-3 -s tests/faults/test_kills.py
