# make test-programs    all that the tests under pytest run; pytest makes it

.PHONY: test-programs
test-programs: all bench-programs $(BUILD)/properties/judge $(BUILD)/timing
