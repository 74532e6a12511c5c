# make fuzz FUZZ_SECONDS=n    libFuzzer, by clang: each target for n seconds
# make fuzz-build             only builds the targets
#
# The program's objects are built once more, with sanitizers and coverage, in
# build/fuzz.

FUZZ_SECONDS ?= 60
FUZZ_TARGETS = body message request credentials collector environment \
	datagram exchange metrics fastcgi
FUZZ_CC ?= clang
FUZZ_PROGRAMS = $(FUZZ_TARGETS:%=$(BUILD)/fuzz_%)

.PHONY: fuzz fuzz-build fuzz-programs
fuzz: fuzz-build
	tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-build:
	@$(MAKE) -s SANITIZE=1 BUILD=build/fuzz BIN=build/fuzz CC=$(FUZZ_CC) \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzz-programs

fuzz-programs: $(FUZZ_PROGRAMS)

$(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/fuzz.o \
		$(BUILD)/tests/fuzz/collectors.o $(BUILD)/tests/plain.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS)

$(BUILD)/tests/fuzz/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

.PRECIOUS: $(BUILD)/tests/fuzz/%.o
-include $(wildcard $(BUILD)/tests/fuzz/*.d)
