# Unit tests: tests/test_<module>.c, each a cmocka program.

UNIT_TESTS = $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))

.PHONY: test-unit
test-unit: $(UNIT_TESTS)
	@failed=0; for t in $^; do $$t || failed=1; done; exit $$failed

$(BUILD)/tests/test_%: $(BUILD)/tests/test_%.o $(BUILD)/tests/support.o $(BUILD)/tests/plain.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fno-lto -o $@ $^ -lcmocka $(FCGI_LIBS) $(LIBS)

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

.PRECIOUS: $(BUILD)/tests/%.o
-include $(wildcard $(BUILD)/tests/*.d)
