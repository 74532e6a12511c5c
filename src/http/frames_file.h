/*
 * The file in which several processes remember the batches they counted, as
 * memory that they share.
 *
 *	magic | key | owners' locks | table
 *	0     64    80              4096
 *
 * Its bytes are never trusted: a process that can write to it can at most make
 *a batch seem counted, or not.
 */
#ifndef HTTP_FRAMES_FILE_H
#define HTTP_FRAMES_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { FRAMES_KEY_LEN = 16 };

struct frames_file {
	int fd;         /* stays open for the locks */
	uint32_t owner; /* this process among those using it */
	unsigned char key[FRAMES_KEY_LEN]; /* random; the file's, for hashing */
	void *table;                       /* of the size asked for */
};

/*
 * Opens the file, made if there is none: with mode 0600, and a table of zeros.
 * NULL, or a sentence on why it can't be used: it is no regular file, belongs
 * to somebody else, others may open it, or it is not what this wrote.  path is
 * at most FRAMES_FILE_MAX bytes.
 *
 * The mapping outlives whatever happens to the file.  If its bytes are gone,
 * as somebody truncated it or its disk failed, zeroed memory of this process
 * takes their place at the moment they are touched: see frames_file_lost.
 */
const char *frames_file_open(
    struct frames_file *file, struct slice path, size_t table_size);

/* Whether the process that is this owner still runs. */
bool frames_file_owner_lives(int fd, uint32_t owner);

/* Whether the file's bytes have gone; true only once. */
bool frames_file_lost(void);

#endif
