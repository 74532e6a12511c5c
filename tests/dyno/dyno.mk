# Deployments in clean roots, made by debootstrap; needs root. Ubuntu 24.04 is the
# system of heroku-24; if its packages cannot be reached, Debian 12 takes its
# place. The long form has more: a minute of load, connections kept longer than
# Heroku's router does, every fault of a build, docs/web-servers.md pasted.
# test-dyno-26 is the same for heroku-26, Ubuntu 26.04.

.PHONY: test-dyno test-dyno-short test-dyno-26
test-dyno-short:
	pytest-3 -v -m root tests/dyno

test-dyno: export DYNO_LONG = 1
test-dyno: test-dyno-short

test-dyno-26: export DYNO_SUITE = resolute
test-dyno-26: test-dyno
