# make coverage    measures which code of src/ the tests reach, in a few minutes.
#                  Copy the page that it writes, build/coverage/coverage.md, to
#                  docs/coverage.md.

.PHONY: coverage
coverage:
	@tests/coverage/run
