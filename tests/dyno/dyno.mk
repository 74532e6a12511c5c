# Deploying, in clean roots made by debootstrap; needs root. Ubuntu 24.04 is
# heroku-24's system; Debian 12 takes its place where its packages are out of
# reach. The long form has more of everything: a minute of load, keep-alive past
# the router's patience, every fault of a build, docs/web-servers.md
# pasted. test-dyno-26 is the same for
# heroku-26's system, Ubuntu 26.04.

.PHONY: test-dyno test-dyno-short test-dyno-26
test-dyno-short:
	pytest-3 -v -m root tests/dyno

test-dyno: export DYNO_LONG = 1
test-dyno: test-dyno-short

test-dyno-26: export DYNO_SUITE = resolute
test-dyno-26: test-dyno
