/*
 * The batches already counted: Logplex sends one again, up to three times in
 * all and with the same id, when an answer was late, lost or 5xx.
 *
 *	table  = 4096 buckets, 1 MiB
 *	bucket = owner, next, 15 entries
 *	entry  = half of the hash of application and id, datagrams, flags
 *
 * The other half of the hash says which bucket.  In a full one the oldest
 * entry makes room, so an id is forgotten when 15 newer ones come to its
 * bucket: before 4,096 newer ones came at all, that happens to one id in
 * 3 * 10^12 (Poisson with mean 1).  Usually it takes some 60,000.
 *
 * The table is memory of this process, or a file that several share (see
 * frames_file.h).  A process holds a bucket from looking an id up until the
 * batch is counted: others that get the same batch meanwhile wait.  It may die
 * at any moment; the next one then takes the bucket over, and what the entry
 * says of the batch holds.
 */
#ifndef HTTP_FRAMES_H
#define HTTP_FRAMES_H

#include <stdatomic.h>

#include "http/frames_file.h"

enum { FRAMES_BUCKETS = 4096, FRAMES_ENTRIES = 15 };

struct frames_entry {
	_Atomic uint64_t tag; /* 0: none */
	/* Datagrams of the batch that were handed to the kernel, or would have
	 * been had the process not died on the way there. */
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

/* To be zeroed; without frames_open no batch is ever known. */
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
	FRAMES_PARTLY,  /* a process died that had handed over some datagrams */
	FRAMES_COUNTED, /* all of it was */
	FRAMES_BUSY     /* another process has it still, after FRAMES_WAIT_MS */
};

/* A batch that is being counted. */
struct frames_claim {
	struct frames_bucket *bucket; /* NULL: not held */
	struct frames_entry *entry;   /* never NULL: `unnamed`, at least */
	struct frames_entry unnamed;  /* of a batch without an id */
};

/*
 * With a path the file is used, and if it can't be, the log says why.  Without
 * one, or then, this process's own memory is.
 */
void frames_open(struct frames *frames, struct slice path);

/*
 * Looks up the batch with this id of an application and, unless it is BUSY,
 * holds it until frames_release.  A batch without an id, or with one above
 * FRAME_ID_MAX bytes, is NEW.
 */
enum frames_state frames_claim(struct frames *frames, struct slice app,
    struct slice id, struct frames_claim *claim);

/* The batch is COUNTED from now on. */
void frames_enter(struct frames_claim *claim);

/* Whether what was counted began with an L10, and that it did. */
bool frames_has_l10(const struct frames_claim *claim);
void frames_set_l10(struct frames_claim *claim, bool l10);

void frames_release(struct frames_claim *claim);

#endif
