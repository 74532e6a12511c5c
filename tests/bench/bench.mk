# make bench measures and prints tables, in a few minutes; it fails only if it
# cannot measure.  make test-bench is its short form: it measures next to
# nothing, but fails if what is measured does not work as it should.

BENCH_BUILD = $(BUILD)/tests/bench

$(BENCH_BUILD)/recognise: $(addprefix $(BENCH_BUILD)/, \
	recognise.o corpus.o measure.o) $(BUILD)/tests/plain.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH_BUILD)/start: $(addprefix $(BENCH_BUILD)/, start.o measure.o)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

$(BENCH_BUILD)/constant: $(BENCH_BUILD)/constant.o
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

# The program as bin/compile links it.
$(BENCH_BUILD)/deployed: $(BUILD)/main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -l:libfcgi.a $(LIBS)

$(BENCH_BUILD)/null_responder: $(BENCH_BUILD)/null_responder.o
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS)

$(BENCH_BUILD)/requests: $(addprefix $(BENCH_BUILD)/, \
	requests.o corpus.o measure.o) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH_BUILD)/bodies: $(addprefix $(BENCH_BUILD)/, \
	bodies.o corpus.o measure.o) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: bench test-bench bench-programs
bench-programs: all $(addprefix $(BENCH_BUILD)/, recognise requests start \
	constant deployed null_responder bodies)

bench: bench-programs
	PYTHONPATH=tests python3 tests/bench/bench.py

test-bench:
	@pytest-3 tests/bench/test_bench.py
