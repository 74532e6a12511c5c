# make timing    whether the time of a refusal reveals anything

.PHONY: timing
timing:
	@pytest-3 tests/timing

$(BUILD)/timing: $(BUILD)/tests/timing/timing.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/timing/%.o: tests/timing/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/timing/*.d)
