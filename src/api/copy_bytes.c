/* SPDX-License-Identifier: Apache-2.0 */
/* Copying the bytes of a file, hole by hole. */
#include "api/copy_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/append.h"
#include "sys/file.h"

enum { MOST_UNSIZED = 64 << 20 };

struct copying {
	int from, to;
	char *piece;
	size_t size;
	bool *is_reading;
};

/* Until COUNT bytes are copied, or there are no more. How many there were. */
static int64_t pass(const struct copying *copying, int64_t count)
{
	int64_t done = 0;

	while (done < count) {
		const size_t most = count - done < (int64_t)copying->size ? (size_t)(count - done) : copying->size;
		const ssize_t got = sys_read(copying->from, copying->piece, most);
		int rc;

		*copying->is_reading = got < 0;
		if (got <= 0)
			return got < 0 ? got : done;
		rc = sys_write_all(copying->to, copying->piece, (size_t)got);
		if (rc < 0)
			return rc;
		done += got;
	}
	return done;
}

static int pass_unsized(const struct copying *copying)
{
	const int64_t done = pass(copying, MOST_UNSIZED);

	return done < 0 ? (int)done : done == MOST_UNSIZED ? -EFBIG : 0;
}

/* From *AT on: where data begins, and in *END where it ends. A file system that knows of no holes says that all is data. lseek(2) */
static int64_t find_data(int fd, int64_t at, int64_t *end)
{
	const int64_t start = sys_seek(fd, at, SEEK_DATA);

	*end = start < 0 ? start : sys_seek(fd, start, SEEK_HOLE);
	return *end < 0 ? *end : start;
}

static int pass_data(const struct copying *copying, int64_t size)
{
	int64_t end = 0, start, rc = 0;

	while (rc >= 0 && end < size) {
		start = find_data(copying->from, end, &end);
		if (start == -ENXIO || start >= size)
			break; /* nothing but a hole follows */
		rc = start < 0 ? start : sys_seek(copying->from, start, SEEK_SET);
		*copying->is_reading = rc < 0;
		if (rc >= 0)
			rc = sys_seek(copying->to, start, SEEK_SET);
		if (rc >= 0)
			rc = pass(copying, (end < size ? end : size) - start);
	}
	return rc < 0 ? (int)rc : sys_truncate(copying->to, (uint64_t)size);
}

static bool is_regular(int fd)
{
	unsigned mode;
	uid_t uid;
	gid_t gid;

	return sys_stat(fd, "", AT_EMPTY_PATH, &mode, &uid, &gid) == 0 && S_ISREG(mode);
}

int copy_bytes(int from, int to, char *piece, size_t size, bool *is_reading)
{
	const struct copying copying = { from, to, piece, size, is_reading };
	const int64_t length = sys_size(from);
	int64_t rc;

	*is_reading = length < 0;
	if (length < 0)
		return (int)length;
	if (length == 0)
		return pass_unsized(&copying);
	if (is_regular(to) && sys_seek(from, 0, SEEK_HOLE) >= 0)
		return pass_data(&copying, length);
	rc = sys_seek(from, 0, SEEK_SET);
	if (rc >= 0)
		rc = pass(&copying, length);
	return rc < 0 ? (int)rc : 0;
}
