#include "http/frames_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bounds.h"

/* The offsets of the parts; the locks' bytes are never read or written. */
enum { KEY_AT = 64, TABLE_AT = 4096 };
#define HEADER_LOCK_AT ((off_t)0)
#define OWNER_LOCKS_AT ((off_t)1 << 32)

struct header {
	char magic[KEY_AT];
	unsigned char key[FRAMES_KEY_LEN];
};

static const char magic[KEY_AT] = "logplex-statsd frames 1\n";

/* What the handler of SIGBUS needs. */
static struct {
	char *start;
	size_t len;
	volatile sig_atomic_t lost;
} mapping;

/* Replaces pages that the file no longer has by memory of this process. */
static void
replace_mapping(int signal, siginfo_t *info, void *context)
{
	char *address = info->si_addr;
	struct sigaction fatal = {0};

	(void)context;
	fatal.sa_handler = SIG_DFL;
	if (address < mapping.start || address >= mapping.start + mapping.len ||
	    mmap(mapping.start, mapping.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		sigaction(signal, &fatal, NULL); /* GCOVR_EXCL_LINE: fatal */
	else
		mapping.lost = 1;
}

bool
frames_file_lost(void)
{
	bool lost = mapping.lost != 0;

	mapping.lost = 0;
	return lost;
}

static bool
lock_byte(int fd, off_t at, short type)
{
	struct flock lock = {0};

	lock.l_type = type;
	lock.l_whence = SEEK_SET;
	lock.l_start = at;
	lock.l_len = 1;
	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

bool
frames_file_owner_lives(int fd, uint32_t owner)
{
	struct flock lock = {0};

	lock.l_type = F_WRLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = OWNER_LOCKS_AT + owner;
	lock.l_len = 1;
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/*
 * Takes a number that no other process has.  Its lock lasts while the file is
 * open, so until the process ends, in whatever way.
 */
static bool
become_owner(struct frames_file *file)
{
	bool locked;

	do {
		file->owner = randombytes_random() | 1;
		locked =
		    lock_byte(file->fd, OWNER_LOCKS_AT + file->owner, F_WRLCK);
	} while (!locked && (errno == EAGAIN || errno == EACCES));
	return locked;
}

/*
 * Several processes may start at once: one creates the file, the others wait.
 */
static bool
lock_header(int fd)
{
	static const struct timespec pause = {0, 1000000};
	int64_t deadline = clock_ms() + FRAMES_WAIT_MS;

	while (!lock_byte(fd, HEADER_LOCK_AT, F_WRLCK)) {
		if ((errno != EAGAIN && errno != EACCES) ||
		    clock_ms() >= deadline)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static const char *
judge(const struct stat *st, off_t size)
{
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_uid != geteuid())
		return "it belongs to another user";
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0 || st->st_nlink > 1)
		return "others can open it; its mode must be 0600, and it must "
		       "have only one name";
	if (st->st_size != 0 && st->st_size != size)
		return "its size is wrong for this program";
	return NULL;
}

/* The magic is written last: a file without it is created again. */
static const char *
make(int fd, struct header *header, off_t size)
{
	int error = posix_fallocate(fd, 0, size);

	if (error != 0)
		return strerror(error);
	randombytes_buf(header->key, sizeof(header->key));
	if (pwrite(fd, header->key, sizeof(header->key), KEY_AT) !=
		(ssize_t)sizeof(header->key) ||
	    pwrite(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
		return strerror(errno);
	return NULL;
}

static const char *
read_header(struct frames_file *file, off_t size)
{
	struct header header = {{0}, {0}};
	const char *fault = NULL;
	ssize_t got = pread(file->fd, &header, sizeof(header), 0);

	if (got < 0)
		return strerror(errno);
	if (got == 0 || sodium_is_zero((unsigned char *)header.magic, KEY_AT))
		fault = make(file->fd, &header, size);
	else if (memcmp(header.magic, magic, sizeof(magic)) != 0)
		fault = "it was not written by this version of the program";
	memcpy(file->key, header.key, sizeof(file->key));
	return fault;
}

static const char *
map(struct frames_file *file, size_t table_size)
{
	struct sigaction action = {0};

	action.sa_sigaction = replace_mapping;
	action.sa_flags = SA_SIGINFO;
	sigaction(SIGBUS, &action, NULL);
	file->table = mmap(NULL, table_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    file->fd, TABLE_AT);
	if (file->table == MAP_FAILED)
		return strerror(errno);
	mapping.start = file->table;
	mapping.len = table_size;
	mapping.lost = 0;
	return NULL;
}

static const char *
use(struct frames_file *file, size_t table_size)
{
	off_t size = TABLE_AT + (off_t)table_size;
	const char *fault;
	struct stat st;

	if (!lock_header(file->fd) || fstat(file->fd, &st) != 0)
		return strerror(errno);
	fault = judge(&st, size);
	if (fault == NULL)
		fault = read_header(file, size);
	lock_byte(file->fd, HEADER_LOCK_AT, F_UNLCK);
	if (fault == NULL && !become_owner(file))
		fault = strerror(errno); /* GCOVR_EXCL_LINE: locks work here */
	return fault != NULL ? fault : map(file, table_size);
}

const char *
frames_file_open(struct frames_file *file, struct slice path, size_t table_size)
{
	char name[FILE_PATH_MAX + 1] = {0};
	const char *fault;

	/*
	 * With this, exceeding a limit on file size is an error like any other.
	 */
	signal(SIGXFSZ, SIG_IGN);
	memcpy(name, path.ptr, path.len);
	file->fd = open(name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
	    S_IRUSR | S_IWUSR);
	if (file->fd < 0)
		return errno == ELOOP ? "it is a symbolic link"
				      : strerror(errno);
	fault = use(file, table_size);
	if (fault != NULL)
		close(file->fd);
	return fault;
}
