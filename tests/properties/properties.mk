# make properties BODIES=n LINES=n    random bodies, and batches of lines of all
#       families, judged by the program and by a second implementation

BODIES ?= 100000
LINES ?= 100000

.PHONY: properties
properties:
	@BODIES=$(BODIES) LINES=$(LINES) pytest-3 tests/properties

$(BUILD)/properties/judge: $(BUILD)/tests/properties/judge.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fno-lto -o $@ $^ $(LIBS)

$(BUILD)/tests/properties/%.o: tests/properties/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/tests/properties/*.d)
