# logplex-statsd.  `make` builds bin/logplex-statsd and bin/listener.
#
# SANITIZE=1 builds with address and undefined behaviour sanitizers, apart from
# the rest, in build/sanitize.  CC, CFLAGS, CPPFLAGS, LDFLAGS, FCGI_LIBS and
# WERROR=-Werror are honoured.

VERSION = 1.0.0

FCGI_LIBS ?= -lfcgi
LIBS = -lsodium -lz

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wundef \
	-Wvla -Wformat=2 -Wnull-dereference -Wswitch-enum \
	-Wimplicit-fallthrough $(WERROR)

ifdef SANITIZE
BUILD = build/sanitize
BIN = build/sanitize
CFLAGS ?= -O1 -g
MODE_CFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
MODE_LDFLAGS = -fsanitize=address,undefined
else
# Link-time optimisation, by gcc: clang would need another linker.  The objects
# hold code for plain links too: tests link that way, which is faster.
LTO := $(if $(shell $(CC) --version 2>/dev/null | grep -i clang),,-flto=auto)
BUILD = build
BIN = bin
CFLAGS ?= -O3 -g
MODE_CFLAGS = -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection -fPIE \
	$(LTO:%=% -ffat-lto-objects)
MODE_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LTO)
endif

ALL_CPPFLAGS = -D_GNU_SOURCE= -DVERSION='"$(VERSION)"' -Isrc \
	$(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARNINGS) $(MODE_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(MODE_LDFLAGS) $(LDFLAGS)

# All of src except the programs' main files: tests and benchmarks link it too.
SOURCES = $(filter-out src/main.c $(wildcard src/tools/*.c), \
	$(wildcard src/*.c src/*/*.c))
LIBRARY = $(BUILD)/liblogplex-statsd.a

.PHONY: all clean install uninstall
all: $(BIN)/logplex-statsd $(BIN)/listener

$(BIN)/logplex-statsd: $(BUILD)/main.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(FCGI_LIBS) $(LIBS)

$(BIN)/listener: $(BUILD)/tools/listener.o $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIBRARY): $(SOURCES:src/%.c=$(BUILD)/%.o)
	rm -f $@
	$(AR) rcs $@ $^

# For a missing library, the message names its package.
NEEDED = fcgiapp.h:libfcgi-dev sodium.h:libsodium-dev zlib.h:zlib1g-dev
$(BUILD)/needed: Makefile
	@mkdir -p $(@D)
	@command -v $(firstword $(CC)) >/dev/null || \
	    { echo "No compiler $(CC): install the package gcc, or run bin/development-bootstrap" >&2; exit 1; }
	@for n in $(NEEDED); do \
	    echo "#include <$${n%%:*}>" | \
		$(CC) $(ALL_CPPFLAGS) -E - >/dev/null 2>&1 || \
	    { echo "No <$${n%%:*}>: install the package $${n#*:}, or run bin/development-bootstrap" >&2; exit 1; }; \
	done
	@touch $@

$(BUILD)/%.o: src/%.c Makefile | $(BUILD)/needed
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

# DESTDIR and PREFIX say where; the examples and the systemd unit get the
# program's path. The other programs get its name as a prefix.
PREFIX ?= /usr/local
COMMANDS = $(DESTDIR)$(PREFIX)/bin
MAN1 = $(DESTDIR)$(PREFIX)/share/man/man1
DOC = $(DESTDIR)$(PREFIX)/share/doc/logplex-statsd
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
DOC_FOLDERS = dashboards images servers systemd

install: $(BIN)/logplex-statsd $(BIN)/listener
	install -d $(COMMANDS) $(MAN1) $(DOC) $(UNITS)
	install $(BIN)/logplex-statsd $(COMMANDS)
	install $(BIN)/listener $(COMMANDS)/logplex-statsd-listener
	install bin/add-app $(COMMANDS)/logplex-statsd-add-app
	sed -i 's|bin/add-app|logplex-statsd-add-app|g' $(COMMANDS)/logplex-statsd-add-app
	install -m 644 docs/*.1 $(MAN1)
	install -m 644 README.md LICENSE docs/*.md $(DOC)
	sed -i 's|](docs/|](|g; s|](\.\./README|](README|g' $(DOC)/*.md
	for f in $$(cd docs && find $(DOC_FOLDERS) -type f); do \
	    install -D -m 644 docs/$$f $(DOC)/$$f || exit; done
	chmod +x $(DOC)/dashboards/check_platform_errors
	install -m 644 docs/systemd/* $(UNITS)
	sed -i 's|/usr/local/bin|$(PREFIX)/bin|g' $(DOC)/servers/* $(DOC)/systemd/* $(UNITS)/logplex-statsd.service

uninstall:
	rm -f $(COMMANDS)/logplex-statsd
	rm -f $(COMMANDS)/logplex-statsd-listener $(COMMANDS)/logplex-statsd-add-app
	rm -f $(addprefix $(MAN1)/,$(notdir $(wildcard docs/*.1)))
	rm -f $(UNITS)/logplex-statsd.socket $(UNITS)/logplex-statsd.service
	rm -rf $(DOC)

# A release: a tarball of the commit, and a package of the working tree.
.PHONY: dist deb
dist:
	@mkdir -p build
	git archive --prefix=logplex-statsd-$(VERSION)/ \
	    -o build/logplex-statsd-$(VERSION).tar.gz HEAD

MAINTAINER ?= logplex-statsd authors <logplex-statsd@users.noreply.github.com>
deb:
	VERSION='$(VERSION)' MAINTAINER='$(MAINTAINER)' docs/debian/build build/deb

clean:
	rm -rf build bin/logplex-statsd bin/listener

# Each kind of test has its targets in its folder.
include $(wildcard tests/*.mk tests/*/*.mk)
