/*
 * The file in which several processes remember the batches they counted, as
 * memory that they share.
 *
 *	magic | key | owners' locks | table
 *	0     64    80              4096
 *
 * Its bytes are never trusted: a process that can write to it can at most make
 * a batch seem counted or not counted.
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
 * Opens the file, or creates it with mode 0600 and a zeroed table.  Returns
 * NULL, or a sentence that says why the file can't be used: it is not a regular
 * file, belongs to another user, can be opened by others, or was not written by
 * this program. path is at most FILE_PATH_MAX bytes.
 *
 * The mapping survives whatever happens to the file.  If its bytes disappear,
 * because the file was truncated or its disk failed, zeroed memory of this
 * process takes their place when they are next accessed: see frames_file_lost.
 */
const char *frames_file_open(
    struct frames_file *file, struct slice path, size_t table_size);

/* Whether the process with this owner number is still running. */
bool frames_file_owner_lives(int fd, uint32_t owner);

/* Whether the file's bytes have disappeared; true only once. */
bool frames_file_lost(void);

#endif
