/*
 * Records every change that a process makes below one folder: preloaded (LD_PRELOAD), it stands between the program and libc.
 *
 * DISK_RECORDER_FOLDER  absolute path of the folder; its real name, without a slash at the end
 * DISK_RECORDER_LOG     the log, which several processes may share: each record is one write with O_APPEND
 * DISK_RECORDER_TAG     one character that says whose records these are
 *
 * A record: length of the rest (u32), time in microseconds since 1970 (u64), tag (u8), kind (u8), three numbers (i64), length of the
 * first text (u32), four bytes for nothing, the texts. All little-endian. The kinds and what their numbers mean: record-log.ts.
 *
 * A change and its record happen under one lock, so the order in the log is the order of the changes. A flush is recorded when it begins
 * and again when it has succeeded, and only what was written before it began is promised; it does not hold the lock in between.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The functions are declared by libc with 32-bit names that may be redirected; these are the plain ones. */
#undef open
#undef openat
#undef creat
#undef pwrite
#undef pwritev
#undef ftruncate
#undef truncate
#undef fallocate
#undef posix_fallocate

#define MAX_FDS 65536
#define MAX_VECTORS 1024

enum kind {
	START = 's', OPEN = 'o', CLOSE = 'c', WRITE = 'w', TRUNCATE = 't', TRUNCATE_PATH = 'T', ALLOCATE = 'a', RENAME = 'r', UNLINK = 'u',
	MKDIR = 'm', RMDIR = 'd', LINK = 'l', SYMLINK = 'y', SYNC_BEGIN = 'f', SYNC_END = 'F', UNKNOWN = '?'
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int log_fd = -1;
static char tag = '?';
static unsigned char tracked[MAX_FDS];
static unsigned char appends[MAX_FDS];
static unsigned char is_synchronous[MAX_FDS];
static dev_t devices[MAX_FDS];
static ino_t inodes[MAX_FDS];
static int64_t next_sync = 1;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_truncate)(const char *, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);
static int (*real_posix_fallocate)(int, off_t, off_t);
static int (*real_rename)(const char *, const char *);
static int (*real_renameat2)(int, const char *, int, const char *, unsigned);
static int (*real_unlink)(const char *);
static int (*real_unlinkat)(int, const char *, int);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_rmdir)(const char *);
static int (*real_link)(const char *, const char *);
static int (*real_symlink)(const char *, const char *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_sync_file_range)(int, off_t, off_t, unsigned);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static ssize_t (*real_sendfile)(int, int, off_t *, size_t);
static ssize_t (*real_copy_file_range)(int, off_t *, int, off_t *, size_t, unsigned);

#define FIND(name) real_##name = dlsym(RTLD_NEXT, #name)

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Writes one record; the lock is held, except for the markers of a flush, which need no order among themselves. */
static void record(enum kind kind, int64_t a, int64_t b, int64_t c, const char *first, const struct iovec *data, int vectors, size_t bytes) {
	if (log_fd < 0) return;
	size_t first_length = first == NULL ? 0 : strlen(first);
	unsigned char head[46];
	uint32_t rest = (uint32_t)(sizeof head - 4 + first_length + bytes);
	int64_t at = now_us();
	uint32_t text = (uint32_t)first_length;
	memcpy(head, &rest, 4);
	memcpy(head + 4, &at, 8);
	head[12] = (unsigned char)tag;
	head[13] = (unsigned char)kind;
	memcpy(head + 14, &a, 8);
	memcpy(head + 22, &b, 8);
	memcpy(head + 30, &c, 8);
	memcpy(head + 38, &text, 4);
	memset(head + 42, 0, 4);
	struct iovec parts[MAX_VECTORS + 2];
	int count = 0;
	parts[count++] = (struct iovec){ head, sizeof head };
	if (first_length > 0) parts[count++] = (struct iovec){ (void *)first, first_length };
	size_t left = bytes;
	for (int index = 0; index < vectors && left > 0; index += 1) {
		size_t length = data[index].iov_len < left ? data[index].iov_len : left;
		if (length == 0) continue;
		parts[count++] = (struct iovec){ data[index].iov_base, length };
		left -= length;
	}
	if (real_writev(log_fd, parts, count) != (ssize_t)(rest + 4)) {
		static const char message[] = "recorder: the log cannot be written\n";
		real_write(2, message, sizeof message - 1);
		abort();
	}
}

static void record_text(enum kind kind, int64_t a, int64_t b, int64_t c, const char *first, const char *second) {
	struct iovec data = { (void *)second, second == NULL ? 0 : strlen(second) };
	record(kind, a, b, c, first, &data, 1, data.iov_len);
}

static void record_number(enum kind kind, int64_t a, int64_t b, int64_t c) {
	record(kind, a, b, c, NULL, NULL, 0, 0);
}

/* The path below the folder, or NULL for any other. */
static const char *below(const char *path) {
	if (folder_length == 0 || path == NULL) return NULL;
	if (strncmp(path, folder, folder_length) != 0) return NULL;
	if (path[folder_length] == '\0') return "";
	return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static const char *absolute(int at, const char *path, char *buffer) {
	if (path == NULL || path[0] == '/') return path;
	char base[PATH_MAX];
	if (at == AT_FDCWD) {
		if (getcwd(base, sizeof base) == NULL) return NULL;
	} else {
		char name[64];
		snprintf(name, sizeof name, "/proc/self/fd/%d", at);
		ssize_t length = readlink(name, base, sizeof base - 1);
		if (length < 0) return NULL;
		base[length] = '\0';
	}
	if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
	return buffer;
}

/* What is closed by a bare system call nobody sees: a descriptor that has become another file is no longer ours. */
static int is_tracked(int fd) {
	if (fd < 0 || fd >= MAX_FDS || !tracked[fd]) return 0;
	struct stat status;
	int saved = errno;
	if (fstat(fd, &status) != 0 || status.st_dev != devices[fd] || status.st_ino != inodes[fd]) tracked[fd] = 0;
	errno = saved;
	return tracked[fd];
}

__attribute__((constructor)) static void begin(void) {
	FIND(open); FIND(openat); FIND(close); FIND(write); FIND(writev); FIND(pwrite); FIND(pwritev); FIND(ftruncate); FIND(truncate);
	FIND(fallocate); FIND(posix_fallocate); FIND(rename); FIND(renameat2); FIND(unlink); FIND(unlinkat); FIND(mkdir); FIND(rmdir);
	FIND(link); FIND(symlink); FIND(fsync); FIND(fdatasync); FIND(sync_file_range); FIND(mmap); FIND(sendfile); FIND(copy_file_range);
	const char *where = getenv("DISK_RECORDER_FOLDER");
	const char *log_path = getenv("DISK_RECORDER_LOG");
	const char *who = getenv("DISK_RECORDER_TAG");
	if (where == NULL || log_path == NULL || who == NULL || strlen(where) >= sizeof folder) return;
	strcpy(folder, where);
	tag = who[0];
	log_fd = real_open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	folder_length = strlen(folder);
	record_number(START, getpid(), 0, 0);
}

static int opened(int fd, const char *path, int flags, int existed) {
	if (fd < 0 || fd >= MAX_FDS) return fd;
	const char *name = below(path);
	tracked[fd] = name != NULL;
	if (name == NULL) return fd;
	appends[fd] = (flags & O_APPEND) != 0;
	is_synchronous[fd] = (flags & (O_SYNC | O_DSYNC)) != 0;
	struct stat status;
	int is_folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
	devices[fd] = status.st_dev;
	inodes[fd] = status.st_ino;
	record_text(OPEN, fd, (flags & O_TRUNC) != 0 && (flags & O_ACCMODE) != O_RDONLY, is_folder ? 2 : existed ? 0 : 1, name, NULL);
	return fd;
}

static int do_open(int at, const char *path, int flags, mode_t mode) {
	char buffer[PATH_MAX];
	const char *whole = absolute(at, path, buffer);
	if (below(whole) == NULL) {
		int fd = real_openat(at, path, flags, mode);
		if (fd >= 0 && fd < MAX_FDS) tracked[fd] = 0;
		return fd;
	}
	pthread_mutex_lock(&lock);
	int existed = faccessat(at, path, F_OK, 0) == 0;
	int fd = real_openat(at, path, flags, mode);
	int saved = errno;
	opened(fd, whole, flags, existed);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return fd;
}

#define MODE_OF(flags, last) \
	mode_t mode = 0; \
	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { va_list list; va_start(list, last); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { MODE_OF(flags, flags) return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags, flags) return do_open(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE_OF(flags, flags) return do_open(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE_OF(flags, flags) return do_open(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
	if (!is_tracked(fd)) return real_close(fd);
	pthread_mutex_lock(&lock);
	tracked[fd] = 0;
	record_number(CLOSE, fd, 0, 0);
	int result = real_close(fd);
	pthread_mutex_unlock(&lock);
	return result;
}

static ssize_t do_write(int fd, const struct iovec *data, int vectors, off_t position) {
	pthread_mutex_lock(&lock);
	off_t at = position >= 0 ? position : appends[fd] ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
	ssize_t written = position >= 0 ? real_pwritev(fd, data, vectors, position) : real_writev(fd, data, vectors);
	int saved = errno;
	if (written > 0) record(WRITE, fd, at, is_synchronous[fd], NULL, data, vectors, (size_t)written);
	pthread_mutex_unlock(&lock);
	errno = saved;
	return written;
}

ssize_t write(int fd, const void *bytes, size_t length) {
	if (!is_tracked(fd)) return real_write(fd, bytes, length);
	struct iovec data = { (void *)bytes, length };
	return do_write(fd, &data, 1, -1);
}

ssize_t writev(int fd, const struct iovec *data, int vectors) {
	if (!is_tracked(fd)) return real_writev(fd, data, vectors);
	return do_write(fd, data, vectors < MAX_VECTORS ? vectors : MAX_VECTORS, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t position) {
	if (!is_tracked(fd)) return real_pwrite(fd, bytes, length, position);
	struct iovec data = { (void *)bytes, length };
	return do_write(fd, &data, 1, position);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t position) { return pwrite(fd, bytes, length, position); }

ssize_t pwritev(int fd, const struct iovec *data, int vectors, off_t position) {
	if (!is_tracked(fd)) return real_pwritev(fd, data, vectors, position);
	return do_write(fd, data, vectors < MAX_VECTORS ? vectors : MAX_VECTORS, position);
}
ssize_t pwritev64(int fd, const struct iovec *data, int vectors, off_t position) { return pwritev(fd, data, vectors, position); }

/*
 * Streams write from inside libc, where nobody stands between. LevelDB writes all its files so: its streams are made of functions of ours
 * instead, which write like everybody else, and tell their descriptor when it is flushed.
 */
#define MAX_STREAMS 4096
static struct { FILE *stream; int fd; } streams[MAX_STREAMS];

static ssize_t stream_write(void *cookie, const char *bytes, size_t length) {
	size_t done = 0;
	while (done < length) {
		ssize_t written = write((int)(intptr_t)cookie, bytes + done, length - done);
		if (written < 0) return (ssize_t)done;
		done += (size_t)written;
	}
	return (ssize_t)done;
}

static int stream_close(void *cookie) {
	int fd = (int)(intptr_t)cookie;
	pthread_mutex_lock(&lock);
	for (int index = 0; index < MAX_STREAMS; index += 1)
		if (streams[index].stream != NULL && streams[index].fd == fd) streams[index].stream = NULL;
	pthread_mutex_unlock(&lock);
	return close(fd);
}

FILE *fopen(const char *path, const char *mode) {
	static FILE *(*real_fopen)(const char *, const char *);
	if (real_fopen == NULL) real_fopen = dlsym(RTLD_NEXT, "fopen");
	if (below(path) == NULL || mode[0] == 'r') return real_fopen(path, mode);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (mode[0] == 'a' ? O_APPEND : O_TRUNC), 0666);
	if (fd < 0) return NULL;
	cookie_io_functions_t functions = { .write = stream_write, .close = stream_close };
	FILE *stream = fopencookie((void *)(intptr_t)fd, mode[0] == 'a' ? "a" : "w", functions);
	int place = 0;
	pthread_mutex_lock(&lock);
	while (place < MAX_STREAMS && streams[place].stream != NULL) place += 1;
	if (stream != NULL && place < MAX_STREAMS) {
		streams[place].stream = stream;
		streams[place].fd = fd;
	}
	pthread_mutex_unlock(&lock);
	if (stream == NULL || place == MAX_STREAMS) abort();
	return stream;
}
FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }

int fileno(FILE *stream) {
	static int (*real_fileno)(FILE *);
	if (real_fileno == NULL) real_fileno = dlsym(RTLD_NEXT, "fileno");
	int fd = -1;
	pthread_mutex_lock(&lock);
	for (int index = 0; index < MAX_STREAMS; index += 1)
		if (streams[index].stream == stream) fd = streams[index].fd;
	pthread_mutex_unlock(&lock);
	return fd >= 0 ? fd : real_fileno(stream);
}
int fileno_unlocked(FILE *stream) { return fileno(stream); }

/* A change by one call, with its record if it succeeded. */
#define CHANGE(type, condition, call, note) \
	if (!(condition)) return call; \
	pthread_mutex_lock(&lock); \
	type result = call; \
	int saved = errno; \
	if (result == 0) note; \
	pthread_mutex_unlock(&lock); \
	errno = saved; \
	return result;

int ftruncate(int fd, off_t length) {
	CHANGE(int, is_tracked(fd), real_ftruncate(fd, length), record_number(TRUNCATE, fd, length, 0))
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }
int truncate(const char *path, off_t length) {
	CHANGE(int, below(path) != NULL, real_truncate(path, length), record_text(TRUNCATE_PATH, 0, length, 0, below(path), NULL))
}
int truncate64(const char *path, off_t length) { return truncate(path, length); }
int fallocate(int fd, int mode, off_t from, off_t length) {
	CHANGE(int, is_tracked(fd), real_fallocate(fd, mode, from, length), record_number(ALLOCATE, fd, mode, from + length))
}
int fallocate64(int fd, int mode, off_t from, off_t length) { return fallocate(fd, mode, from, length); }
int posix_fallocate(int fd, off_t from, off_t length) {
	CHANGE(int, is_tracked(fd), real_posix_fallocate(fd, from, length), record_number(ALLOCATE, fd, 0, from + length))
}
int posix_fallocate64(int fd, off_t from, off_t length) { return posix_fallocate(fd, from, length); }

int rename(const char *from, const char *to) {
	CHANGE(int, below(from) != NULL && below(to) != NULL, real_rename(from, to), record_text(RENAME, 0, 0, 0, below(from), below(to)))
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
	char one[PATH_MAX], other[PATH_MAX];
	const char *a = below(absolute(from_at, from, one)), *b = below(absolute(to_at, to, other));
	CHANGE(int, a != NULL && b != NULL, real_renameat2(from_at, from, to_at, to, flags), record_text(RENAME, flags, 0, 0, a, b))
}
int renameat(int from_at, const char *from, int to_at, const char *to) { return renameat2(from_at, from, to_at, to, 0); }
int unlink(const char *path) {
	CHANGE(int, below(path) != NULL, real_unlink(path), record_text(UNLINK, 0, 0, 0, below(path), NULL))
}
int unlinkat(int at, const char *path, int flags) {
	char buffer[PATH_MAX];
	const char *name = below(absolute(at, path, buffer));
	CHANGE(int, name != NULL, real_unlinkat(at, path, flags), record_text((flags & AT_REMOVEDIR) ? RMDIR : UNLINK, 0, 0, 0, name, NULL))
}
int mkdir(const char *path, mode_t mode) {
	CHANGE(int, below(path) != NULL, real_mkdir(path, mode), record_text(MKDIR, 0, 0, 0, below(path), NULL))
}
int rmdir(const char *path) {
	CHANGE(int, below(path) != NULL, real_rmdir(path), record_text(RMDIR, 0, 0, 0, below(path), NULL))
}
int link(const char *from, const char *to) {
	CHANGE(int, below(from) != NULL && below(to) != NULL, real_link(from, to), record_text(LINK, 0, 0, 0, below(from), below(to)))
}
int symlink(const char *to, const char *path) {
	CHANGE(int, below(path) != NULL, real_symlink(to, path), record_text(SYMLINK, 0, 0, 0, below(path), to))
}

/* Both flush what was written before; the times that only fsync flushes do not matter here. */
#define FLUSH(call) \
	if (!is_tracked(fd)) return call; \
	pthread_mutex_lock(&lock); \
	int64_t number = next_sync++; \
	record_number(SYNC_BEGIN, fd, number, 0); \
	pthread_mutex_unlock(&lock); \
	int result = call; \
	int saved = errno; \
	if (result == 0) { \
		pthread_mutex_lock(&lock); \
		record_number(SYNC_END, fd, number, 0); \
		pthread_mutex_unlock(&lock); \
	} \
	errno = saved; \
	return result;

int fsync(int fd) { FLUSH(real_fsync(fd)) }
int fdatasync(int fd) { FLUSH(real_fdatasync(fd)) }

/* Promises nothing about the device's cache nor about metadata: the model takes it for nothing. */
int sync_file_range(int fd, off_t from, off_t length, unsigned flags) { return real_sync_file_range(fd, from, length, flags); }

/* What would change a file unseen is refused or said. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t position) {
	if (is_tracked(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE)) {
		pthread_mutex_lock(&lock);
		record_text(UNKNOWN, fd, 0, 0, NULL, "mmap");
		pthread_mutex_unlock(&lock);
	}
	if (real_mmap == NULL) FIND(mmap);
	return real_mmap(address, length, protection, flags, fd, position);
}
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off_t position) {
	return mmap(address, length, protection, flags, fd, position);
}
ssize_t sendfile(int to, int from, off_t *position, size_t length) {
	if (!is_tracked(to)) return real_sendfile(to, from, position, length);
	errno = EINVAL;
	return -1;
}
ssize_t sendfile64(int to, int from, off_t *position, size_t length) { return sendfile(to, from, position, length); }
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t length, unsigned flags) {
	if (!is_tracked(to)) return real_copy_file_range(from, from_at, to, to_at, length, flags);
	errno = ENOSYS;
	return -1;
}

/* libuv knows calls that libc does not name. Those that would write unseen do not exist here, and it falls back to plain writes. */
long syscall(long number, ...) {
	static long (*real_syscall)(long, ...);
	if (real_syscall == NULL) real_syscall = dlsym(RTLD_NEXT, "syscall");
	long arguments[6];
	va_list list;
	va_start(list, number);
	for (int index = 0; index < 6; index += 1) arguments[index] = va_arg(list, long);
	va_end(list);
	if (number == SYS_close) return close((int)arguments[0]);
	int hides = number == SYS_io_uring_setup || (number == SYS_copy_file_range && is_tracked((int)arguments[2]));
	if (hides && log_fd >= 0) {
		errno = ENOSYS;
		return -1;
	}
	return real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}
