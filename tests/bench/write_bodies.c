/*
 * Writes bodies of the corpus to files, for requests over HTTP.
 *
 *	write_bodies FOLDER COUNT...
 *
 * FOLDER/COUNT.logplex holds that many messages; for each, a line with COUNT,
 * its bytes, its errors and its distinct codes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bounds.h"
#include "corpus.h"
#include "measure.h"
#include "set.h"

static void
write_body(const char *folder, const char *count)
{
	static char bytes[BODY_MAX];
	static struct tally tally;
	struct buf text = BUF_IN(bytes);
	struct corpus corpus = corpus_new(CORPUS_ERRORS);
	char path[4096];
	FILE *file;

	corpus_put(&corpus, &text, strtoul(count, NULL, 10), SIZE_MAX);
	if (text.truncated ||
	    set_count(buf_slice(&text), &errors_alone, &tally) != corpus.errors)
		measure_fail("no body of %s messages", count);
	snprintf(path, sizeof(path), "%s/%s.logplex", folder, count);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, text.len, file) != text.len ||
	    fclose(file) != 0)
		measure_fail("cannot write %s", path);
	printf("%s %zu %zu %zu\n", count, text.len, tally.errors,
	    tally.bucket_count);
}

int
main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++)
		write_body(argv[1], argv[i]);
}
