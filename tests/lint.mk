# Static checks, one per line; the last line counts them.

LINT_CFLAGS = -std=c11 $(ALL_CPPFLAGS)
C_FILES = $(wildcard src/*.[ch] src/*/*.[ch] tests/*.[ch] tests/*/*.[ch])
SHELL_SCRIPTS = $(shell tests/files | grep -zE '^(bin|\.ci|tests)/' | \
	xargs -0 grep -lE '^\#!.*(bash|/sh)')

.PHONY: lint
lint:
	@passed=0; failed=0; \
	check() { name=$$1; shift; \
	  if out=$$("$$@" 2>&1); then passed=$$((passed + 1)); echo "ok $$name"; \
	  else failed=$$((failed + 1)); echo "FAILED $$name"; echo "$$out"; fi; }; \
	check clang-format clang-format --dry-run --Werror $(C_FILES); \
	check cppcheck cppcheck --quiet --error-exitcode=1 --std=c11 \
	  --enable=warning,performance,portability,style \
	  --suppress=missingIncludeSystem --suppress=variableScope \
	  --inline-suppr $(ALL_CPPFLAGS) src; \
	for f in $(filter src/%.c, $(C_FILES)); do \
	  check "clang-tidy $$f" clang-tidy --quiet $$f -- $(LINT_CFLAGS); done; \
	check arrows tests/arrows; \
	check sizes tests/sizes; \
	check shellcheck shellcheck $(SHELL_SCRIPTS); \
	for cc in gcc clang; do \
	  check "$$cc -Werror" $(MAKE) -s CC=$$cc WERROR=-Werror \
	    BUILD=build/lint-$$cc BIN=build/lint-$$cc; done; \
	echo "lint: $$passed passed, $$failed failed"; test $$failed -eq 0
