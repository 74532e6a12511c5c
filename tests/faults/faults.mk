# Random good, odd and hostile requests for SECONDS: make soak SECONDS=3600.

SECONDS = 20

.PHONY: soak
soak:
	@SOAK_SECONDS=$(SECONDS) pytest-3 -s tests/faults/test_soak.py
