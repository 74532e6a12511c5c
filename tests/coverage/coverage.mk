# make coverage    what the tests reach of src/, by gcov; a few minutes

.PHONY: coverage
coverage:
	@tests/coverage/run
