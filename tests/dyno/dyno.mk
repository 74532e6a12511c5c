# Deploying, in clean roots made by debootstrap; needs root. test-dyno also has
# what takes minutes: keep-alive past the router's, and heroku-26's system.

.PHONY: test-dyno test-dyno-short
test-dyno-short:
	python3 tests/dyno/test_build.py

test-dyno: test-dyno-short
	DYNO_SUITE=resolute python3 tests/dyno/test_build.py
