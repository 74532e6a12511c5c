# make coverage    what the tests reach of src/, by gcov; a few minutes.  The
#                  page it writes, build/coverage/coverage.md, is
#                  docs/coverage.md once copied there.

.PHONY: coverage
coverage:
	@tests/coverage/run
