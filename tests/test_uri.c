#include "statsd/uri.h"

#include "statsd/redact.h"
#include "support.h"

static struct uri uri;

static const char *
parse(const char *text)
{
	struct slice in = guarded(slice_of(text));
	const char *fault = uri_parse(in, &uri);

	guarded_free(in);
	return fault;
}

static void
reads_what_is_well_formed(void **state)
{
	static const struct {
		const char *in, *host, *key, *prefix;
		unsigned port;
	} cases[] = {
	    {"statsd://h", "h", "", "", 8126},
	    {"STATSD://h", "h", "", "", 8126},
	    {"statsd://h.example.com:8125", "h.example.com", "", "", 8125},
	    {"statsd://h:1", "h", "", "", 1},
	    {"statsd://h:65535", "h", "", "", 65535},
	    {"statsd://127.0.0.1:8127", "127.0.0.1", "", "", 8127},
	    {"statsd://[::1]", "::1", "", "", 8126},
	    {"statsd://[::1]:8125/x", "::1", "", "x.", 8125},
	    {"statsd://[fe80::1%25eth0]:1", "fe80::1%eth0", "", "", 1},
	    {"statsd://u:k@h", "h", "k", "", 8126},
	    {"statsd://:k@h:2", "h", "k", "", 2},
	    {"statsd://:a:b@h", "h", "a:b", "", 8126},
	    {"statsd://u:p%40ss%2fw@h", "h", "p@ss/w", "", 8126},
	    {"statsd://u:%2525@h", "h", "%25", "", 8126},
	    {"statsd://u:k@[::1]", "::1", "k", "", 8126},
	    {"statsd://h/", "h", "", "", 8126},
	    {"statsd://h/a", "h", "", "a.", 8126},
	    {"statsd://h/a/b", "h", "", "a.b.", 8126},
	    {"statsd://h//a//b//", "h", "", "a.b.", 8126},
	    {"statsd://h/a.b/c-d_E9", "h", "", "a.b.c-d_E9.", 8126},
	    {"statsd://h/%61", "h", "", "a.", 8126},
	    {"statsd://%68%6F", "ho", "", "", 8126},
	    {"statsd://h?", "h", "", "", 8126},
	    {"statsd://h_1?backdate=1", "h_1", "", "", 8126},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *fault = parse(cases[i].in);

		if (fault != NULL)
			fail_msg("%s: %s", cases[i].in, fault);
		assert_string_equal(uri.host, cases[i].host);
		assert_int_equal(uri.port, cases[i].port);
		assert_text(((struct slice){(char *)uri.key, uri.key_len}),
		    cases[i].key, cases[i].in);
		assert_text(uri_prefix(&uri), cases[i].prefix, cases[i].in);
		assert_int_equal(uri.datagram, 0);
	}
}

/* Each with a part of the sentence that says what is wrong. */
static void
refuses_what_is_not(void **state)
{
	static const struct {
		const char *in, *says;
	} cases[] = {
	    {"", "comma"},
	    {"h", "statsd://"},
	    {"h:8126", "statsd://"},
	    {"udp://h", "statsd://"},
	    {"statsd", "statsd://"},
	    {"statsd:h", "statsd://"},
	    {"statsd:/h", "statsd://"},
	    {"statsdd://h", "statsd://"},
	    {"statsd://", "host"},
	    {"statsd:///p", "host"},
	    {"statsd://:8126", "host"},
	    {"statsd://u:k@", "host"},
	    {"statsd://::1", "host"},
	    {"statsd://[]", "empty"},
	    {"statsd://[::1", "bracket"},
	    {"statsd://[::1]8126", "port"},
	    {"statsd://[::1]x", "port"},
	    {"statsd://[h]", "neither"},
	    {"statsd://[127.0.0.1]", "neither"},
	    {"statsd://[::1%00]", "neither"},
	    {"statsd://[::1%00x]", "neither"},
	    {"statsd://[fe80::1%25]", "neither"},
	    {"statsd://[fe80::1%25eth0%0a]", "neither"},
	    {"statsd://[fe80::1%25eth0%25]", "neither"},
	    {"statsd://h h", "neither"},
	    {"statsd://h%00", "neither"},
	    {"statsd://h%2f", "neither"},
	    {"statsd://h%zz", "percent"},
	    {"statsd://h%6", "percent"},
	    {"statsd://h%6z", "percent"},
	    {"statsd://h%z6", "percent"},
	    {"statsd://u:%6z@h", "percent"},
	    {"statsd://u:%z6@h", "percent"},
	    {"statsd://h/%6z", "prefix"},
	    {"statsd://[0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0]",
		"neither"},
	    {"statsd://h:", "port"},
	    {"statsd://h:0", "port"},
	    {"statsd://h:65536", "port"},
	    {"statsd://h:999999", "port"},
	    {"statsd://h:x", "port"},
	    {"statsd://h:12x", "port"},
	    {"statsd://h:+1", "port"},
	    {"statsd://[::1]:", "port"},
	    {"statsd://fe80::1", "port"},
	    {"statsd://key@h", "user without a key"},
	    {"statsd://@h", "user without a key"},
	    {"statsd://u:@h", "key is empty"},
	    {"statsd://:@h", "key is empty"},
	    {"statsd://u:p@ss@h", "%40"},
	    {"statsd://u:%zz@h", "percent"},
	    {"statsd://u:%4@h", "percent"},
	    {"statsd://u:pa/ss@h", "%2F"},
	    {"statsd://u:pa?ss@h", "%3F"},
	    {"statsd://u:pa#ss@h", "%23"},
	    {"statsd://[0000:0000:0000:0000:0000:0000:0255.255.255.255]",
		"neither"},
	    {"statsd://h/ ab", "prefix"},
	    {"statsd://h/a b", "prefix"},
	    {"statsd://h/a:b", "prefix"},
	    {"statsd://h/a%2Fb", "prefix"},
	    {"statsd://h/a%0a", "prefix"},
	    {"statsd://h/\xc3\xa9", "prefix"},
	    {"statsd://h/%", "prefix"},
	    {"statsd://h/.", "prefix"},
	    {"statsd://h/.a", "prefix"},
	    {"statsd://h/a./b", "prefix"},
	    {"statsd://h/a..b", "prefix"},
	    {"statsd://h?x", "options"},
	    {"statsd://h?datagram", "options"},
	    {"statsd://h?datagram=", "datagram="},
	    {"statsd://h?datagram=0", "datagram="},
	    {"statsd://h?datagram=-1", "datagram="},
	    {"statsd://h?datagram=1k", "datagram="},
	    {"statsd://h?datagram=65508", "datagram="},
	    {"statsd://h?datagram=999999", "datagram="},
	    {"statsd://h?backdate=61", "backdate="},
	    {"statsd://h?backdate=x", "backdate="},
	    {"statsd://h?backdate=1x", "backdate="},
	    {"statsd://h?backdate=", "backdate="},
	    {"statsd://h?backdate=1&y=2", "options"},
	    {"statsd://h?tags=", "dogstatsd"},
	    {"statsd://h?tags=influx", "dogstatsd"},
	    {"statsd://h#", "%23"},
	    {"statsd://h#f", "%23"},
	    {"statsd://h?backdate=1#f", "%23"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *fault = parse(cases[i].in);

		if (fault == NULL || strstr(fault, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].in,
			    fault == NULL ? "accepted" : fault);
	}
}

static void
reads_the_options(void **state)
{
	(void)state;
	assert_null(parse("statsd://u:k@h/p?datagram=1432&backdate=60"));
	assert_int_equal(uri.datagram, 1432);
	assert_int_equal(uri.backdate, 60);
	assert_false(uri.dogstatsd);
	assert_null(parse("statsd://h?tags=dogstatsd"));
	assert_true(uri.dogstatsd);
	assert_null(parse("statsd://h?backdate=0&datagram=65507"));
	assert_int_equal(uri.datagram, 65507);
	assert_int_equal(uri.backdate, 0);
}

/* count bytes of x between two texts. */
static const char *
parse_long(const char *before, int count, const char *after)
{
	static char text[1024];

	snprintf(text, sizeof(text), "%s%0*d%s", before, count, 0, after);
	return parse(text);
}

static void
every_part_has_a_greatest_length(void **state)
{
	(void)state;
	assert_null(parse_long("statsd://", HOST_MAX, ""));
	assert_non_null(parse_long("statsd://", HOST_MAX + 1, ""));
	assert_null(parse_long("statsd://u:", KEY_MAX, "@h"));
	assert_int_equal(uri.key_len, KEY_MAX);
	assert_non_null(parse_long("statsd://u:", KEY_MAX + 1, "@h"));
	assert_null(parse_long("statsd://h/", PREFIX_MAX - 1, ""));
	assert_int_equal(uri.prefix_len, PREFIX_MAX);
	assert_non_null(parse_long("statsd://h/", PREFIX_MAX, ""));
	assert_non_null(parse_long("statsd://h/", PREFIX_MAX + 1, ""));
}

static void
shows_an_address_without_its_key(void **state)
{
	static const char *const cases[][2] = {
	    {"statsd://u:k@h/p", "statsd://h:8126"},
	    {"statsd://u:k@[::1]:1", "statsd://[::1]:1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buf[64];
		struct buf t = BUF_IN(buf);

		assert_null(parse(cases[i][0]));
		uri_put_address(&t, &uri);
		assert_text(buf_slice(&t), cases[i][1], cases[i][0]);
	}
}

static void
hides_what_is_or_could_be_a_key(void **state)
{
	static const char *const cases[][2] = {
	    {"statsd://u:key@h:99999", "statsd://***@h:99999"},
	    {"statsd://key@h", "statsd://***@h"},
	    {"statsd://u:k/ey@h", "statsd://***@h"},
	    {"statsd://u:k@y@h", "statsd://***@h"},
	    {"statsd://u:k?y@h", "statsd://***@h"},
	    {"udp://u:key@h", "udp://***@h"},
	    {"u:key@h", "***@h"},
	    {"key@h", "***@h"},
	    {"statsd:/u:key@h", "***@h"},
	    {"key@h?x://y", "***@h?***"},
	    {"statsd://u:ke", "statsd://u:***"},
	    {"statsd://u:12x", "statsd://u:***"},
	    {"statsd://u:123456", "statsd://u:***"},
	    {"statsd://u:12x/y", "statsd://u:***"},
	    {"statsd://u:k?y", "statsd://u:***"},
	    {"statsd://h:12/x y", "statsd://h:12/x y"},
	    {"statsd://[u:key", "statsd://[***"},
	    {"statsd://[u/x]key", "statsd://[***"},
	    {"statsd://[::1]x", "statsd://[::1]x"},
	    {"statsd://h?key=key", "statsd://h?***"},
	    {"statsd://h?key", "statsd://h?***"},
	    {"statsd://h:1/p?datagram=9&key&&backdate=1",
		"statsd://h:1/p?datagram=9&***&***&backdate=1"},
	    {"statsd://h?backdate=key", "statsd://h?***"},
	    {"statsd://h?", "statsd://h?"},
	    {"statsd://h#key", "statsd://h#***"},
	    {"statsd://u:key@[::1]:0", "statsd://***@[::1]:0"},
	    {"statsd://[::1]:0", "statsd://[::1]:0"},
	    {"statsd://h/a b", "statsd://h/a b"},
	    {"statsd://h\n", "statsd://h\\n"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice in = guarded(slice_of(cases[i][0]));
		char buf[64];
		struct buf t = BUF_IN(buf);

		redact_uri(&t, in);
		assert_text(buf_slice(&t), cases[i][1], cases[i][0]);
		guarded_free(in);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_is_well_formed),
	    cmocka_unit_test(refuses_what_is_not),
	    cmocka_unit_test(reads_the_options),
	    cmocka_unit_test(every_part_has_a_greatest_length),
	    cmocka_unit_test(shows_an_address_without_its_key),
	    cmocka_unit_test(hides_what_is_or_could_be_a_key),
	};

	return cmocka_run_group_tests_name("statsd_uri", tests, NULL, NULL);
}
