#include "config/counting.h"

#include <stdlib.h>

#include "base/ascii.h"
#include "base/buf.h"
#include "heroku/error.h"
#include "metric/metric.h"

/* Takes the next element of a list that has at least one. */
static struct slice
take_element(struct slice *list, bool *more)
{
	struct slice head;

	*more = slice_cut(list, ',', &head);
	return slice_trim(*more ? head : *list);
}

const char *
counting_parse_metrics(struct counting *c, struct slice value)
{
	bool more = true;

	c->families = 0;
	while (more) {
		unsigned bit = metric_family_bit(take_element(&value, &more));

		if (bit == 0)
			return "must be any of errors, loss, router, latency, "
			       "timings, dynos, releases, addons, custom and "
			       "drain, separated by commas";
		c->families |= bit;
	}
	return NULL;
}

/* The bytes that all known readers of tags accept. */
static bool
is_tag_byte(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.' ||
	    c == '/';
}

const char *
counting_parse_tags(struct counting *c, struct slice value)
{
	struct slice list = value, key;
	bool more = value.len > 0;

	if (value.len > TAGS_MAX)
		return "must have at most 200 bytes";
	while (more) {
		struct slice tag = take_element(&list, &more);

		if (!slice_cut(&tag, ':', &key) || key.len == 0 ||
		    tag.len == 0 || !slice_is_all(key, is_tag_byte) ||
		    !slice_is_all(tag, is_tag_byte))
			return "must be key:value,... of letters, digits, _, "
			       "-, . and /";
	}
	if (slice_contains(value, ' '))
		return "must not contain spaces";
	c->tags = value;
	return NULL;
}

const char *
counting_parse_zeros(struct counting *c, struct slice value)
{
	bool more = value.len > 0;

	c->zero_count = 0;
	while (more) {
		struct slice code = take_element(&value, &more);

		if (!error_is_code(code))
			return "must be codes such as H12,R14,L10";
		if (c->zero_count == ZEROS_MAX)
			return "may hold at most 100 codes";
		c->zeros[c->zero_count++] = code;
	}
	return NULL;
}

static bool
is_name_byte(char c)
{
	return ascii_is_alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool
is_variable_byte(char c)
{
	return ascii_is_upper(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

/* Parts separated by dots, none of them empty. */
static bool
is_dotted_name(struct slice s)
{
	char last = '.';

	for (size_t i = 0; i < s.len; last = s.ptr[i++])
		if (!is_name_byte(s.ptr[i]) || (s.ptr[i] == '.' && last == '.'))
			return false;
	return last != '.';
}

const char *
counting_parse_prefix(
    struct counting *c, struct slice variable, struct slice value)
{
	if (variable.len == 0 || variable.len > APP_MAX ||
	    !slice_is_all(variable, is_variable_byte))
		return "the part that names the application must be 1 to 64 "
		       "upper case letters, digits, _ or -";
	if (value.len > PREFIX_MAX || !is_dotted_name(value))
		return "must be 1 to 100 letters, digits, _, - and ., such as "
		       "shop.production";
	if (c->prefix_count == APPLICATIONS_MAX)
		return "there are more applications than this program can hold";
	c->prefixes[c->prefix_count++] = (struct app_prefix){variable, value};
	return NULL;
}

static int
compare(const void *left, const void *right)
{
	struct slice a = ((const struct app_prefix *)left)->variable;
	struct slice b = ((const struct app_prefix *)right)->variable;

	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.ptr, b.ptr, a.len);
}

void
counting_sort(struct counting *c)
{
	qsort(c->prefixes, c->prefix_count, sizeof(c->prefixes[0]), compare);
}

/* Finds the prefix whose variable ends in the application's name. */
static const struct app_prefix *
find(const struct counting *c, struct slice app, bool folded)
{
	char name[APP_MAX];
	struct app_prefix wanted = {{name, 0}, {0}};

	for (size_t i = 0; i < app.len && i < APP_MAX; i++) {
		char byte = ascii_to_upper(app.ptr[i]);

		name[wanted.variable.len++] =
		    folded && byte == '-' ? '_' : byte;
	}
	return bsearch(&wanted, c->prefixes, c->prefix_count,
	    sizeof(c->prefixes[0]), compare);
}

struct slice
counting_name(const struct counting *c, struct slice app)
{
	const struct app_prefix *found = NULL;

	if (c->prefix_count > 0)
		found = find(c, app, false);
	if (c->prefix_count > 0 && found == NULL)
		found = find(c, app, true);
	return found != NULL ? found->prefix : app;
}

void
counting_tally_zeros(
    const struct counting *c, const struct tally *batch, struct tally *tally)
{
	if (!(c->families & FAMILY_BIT(FAMILY_ERRORS)))
		return;
	for (size_t i = 0; i < c->zero_count; i++)
		if (!tally_has_error(batch, c->zeros[i]))
			tally_add_error(tally, c->zeros[i], 0);
}
