# make docs/metrics.md            writes the page from the table of metrics
# make docs/images/explain.svg    draws what --explain prints today

$(BUILD)/docs/metrics: $(BUILD)/tests/docs/metrics.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fno-lto -o $@ $^ $(LIBS)

$(BUILD)/tests/docs/%.o: tests/docs/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/docs/*.d)

docs/metrics.md: $(BUILD)/docs/metrics
	$(BUILD)/docs/metrics >$@

.PHONY: docs/images/explain.svg
docs/images/explain.svg: all
	PYTHONPATH=tests python3 tests/docs/explain_picture.py
