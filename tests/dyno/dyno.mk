# Deploying, in clean roots made by debootstrap; needs root. The long form has
# more of everything: a minute of load, keep-alive past the router's patience,
# and the system of heroku-26 after that of heroku-24.

.PHONY: test-dyno test-dyno-short
test-dyno-short:
	python3 tests/dyno/test_build.py
	python3 tests/dyno/test_dyno.py

test-dyno:
	python3 tests/dyno/test_build.py
	DYNO_LONG=1 python3 tests/dyno/test_dyno.py
	DYNO_SUITE=resolute python3 tests/dyno/test_build.py
	DYNO_SUITE=resolute DYNO_LONG=1 python3 tests/dyno/test_dyno.py
