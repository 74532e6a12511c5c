# Random good, odd and hostile requests for SECONDS: make soak SECONDS=3600.

SECONDS = 20

.PHONY: soak
soak: all
	python3 tests/faults/soak.py $(SECONDS)
