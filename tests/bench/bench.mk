# make bench measures and writes the tables of docs/benchmarks.md, in less than
# six minutes; it fails only if it cannot measure.  make test-bench is its short
# form: it measures next to nothing, but fails if what is measured does not work
# as it should.

BENCH_BUILD = $(BUILD)/tests/bench
# Those that link the program's own code, and what they share.
BENCH_INSIDE = $(addprefix $(BENCH_BUILD)/, recognise worst lines requests \
	write_bodies)
BENCH_SHARED = $(addprefix $(BENCH_BUILD)/, set.o sink.o corpus.o measure.o) \
	$(BUILD)/tests/plain.o

$(BENCH_INSIDE): %: %.o $(BENCH_SHARED) $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BENCH_BUILD)/start: $(addprefix $(BENCH_BUILD)/, start.o measure.o)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

$(BENCH_BUILD)/constant: $(BENCH_BUILD)/constant.o
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

# The program as bin/compile links it.
$(BENCH_BUILD)/deployed: $(BUILD)/main.o $(LIBRARY)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -s -o $@ $^ -l:libfcgi.a $(LIBS)

$(BENCH_BUILD)/null_responder: $(BENCH_BUILD)/null_responder.o
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS)

.PHONY: bench bench-peers test-bench bench-programs
bench-programs: all $(BENCH_INSIDE) $(addprefix $(BENCH_BUILD)/, start constant \
	deployed null_responder)

bench: bench-programs
	PYTHONPATH=tests python3 tests/bench/bench.py

# By hand: beside a drain made of npm's packages, which go to build/peers.
bench-peers: bench-programs
	PYTHONPATH=tests python3 tests/bench/peers.py

test-bench:
	@pytest-3 tests/bench/test_bench.py
