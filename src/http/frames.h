/*
 * The batches already counted: Logplex sends a batch again, with the same id
 * and up to three times in all, when an answer was late, lost or 5xx.
 *
 *	table  = 4096 buckets, 1 MiB
 *	bucket = owner, next, 15 entries
 *	entry  = half of the hash of application and id, datagrams, flags
 *
 * The other half of the hash selects the bucket.  In a full bucket a new entry
 * replaces the oldest, so an id is forgotten when 15 newer ones have come to
 * its bucket.  That takes some 60,000 newer ids on average; only one id in 3 *
 * 10^12 is forgotten before 4,096 newer ones have come (Poisson distribution
 * with mean 1).
 *
 * The table is memory of this process, or a file that several share (see
 * frames_file.h).  A process holds a bucket from the look-up of an id until the
 * batch is counted; meanwhile, others that receive the same batch wait.  A
 * process may die at any moment: the next one takes over its bucket, and can
 * rely on what the entry says about the batch.
 */
#ifndef HTTP_FRAMES_H
#define HTTP_FRAMES_H

#include <stdatomic.h>

#include "http/frames_file.h"

enum { FRAMES_BUCKETS = 4096, FRAMES_ENTRIES = 15 };

struct frames_entry {
	_Atomic uint64_t tag; /* 0: none */
	/*
	 * Datagrams of the batch that were handed to the kernel, or were about
	 * to be when the process died.
	 */
	_Atomic uint32_t handed;
	_Atomic uint32_t flags;
};

struct frames_bucket {
	_Atomic uint32_t owner; /* the process that holds it, or 0 */
	_Atomic uint32_t next;  /* modulo FRAMES_ENTRIES: to be replaced next */
	uint64_t unused;
	struct frames_entry entries[FRAMES_ENTRIES];
};

struct frames_table {
	struct frames_bucket buckets[FRAMES_BUCKETS];
};

/* Must be zeroed; until frames_open is called, every batch is NEW. */
struct frames {
	struct frames_table *table; /* the file's, or `memory`, or NULL */
	int fd;                     /* the file's, or -1 */
	uint32_t owner;             /* this process, as buckets know it */
	unsigned char key[FRAMES_KEY_LEN];
	struct frames_table memory; /* only the pages touched cost memory */
};

/* What is known of a batch. */
enum frames_state {
	FRAMES_NEW,     /* nothing of it was counted */
	FRAMES_PARTLY,  /* a process died after handing over some datagrams */
	FRAMES_COUNTED, /* all of it was */
	FRAMES_BUSY     /* another process still has it after FRAMES_WAIT_MS */
};

/* A batch that is being counted. */
struct frames_claim {
	struct frames_bucket *bucket; /* NULL: not held */
	struct frames_entry *entry;   /* never NULL: `unnamed`, at least */
	struct frames_entry unnamed;  /* of a batch without an id */
};

/*
 * Uses the file at path.  If path is empty, or the file can't be used (the log
 * says why), uses the memory of this process.
 */
void frames_open(struct frames *frames, struct slice path);

/*
 * Looks up the batch with this id of an application and, unless it is BUSY,
 * holds it until frames_release.  A batch without an id, or with one above
 * FRAME_ID_MAX bytes, is NEW.
 */
enum frames_state frames_claim(struct frames *frames, struct slice app,
    struct slice id, struct frames_claim *claim);

/* Marks the batch as COUNTED. */
void frames_enter(struct frames_claim *claim);

/* Whether the batch as it was counted began with an L10. */
bool frames_has_l10(const struct frames_claim *claim);
void frames_set_l10(struct frames_claim *claim, bool l10);

void frames_release(struct frames_claim *claim);

#endif
