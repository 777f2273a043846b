/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever stands in a log: records within the bounds, and an end. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jails/log_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_all(int folder, const struct log_query *query)
{
	static struct log_reader reader;
	struct log_record record;
	uint64_t total = 0;

	if (log_reader_open(&reader, folder, query) < 0)
		return;
	while (log_reader_next(&reader, &record) > 0) {
		total += record.size;
		if (record.bytes < reader.room || record.bytes + record.size > reader.room + LOG_READER_ROOM || record.stream - 1 > 1)
			abort();
	}
	if (total > 1 << 20)
		abort();
	log_reader_close(&reader);
}

/* The first byte cuts the rest into the two files. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char path[] = "/tmp/immure-fuzz-XXXXXX";
	int folder, fd;
	size_t cut;

	if (size < 1 || size > 100000 || !mkdtemp(path))
		return 0;
	cut = (size - 1) * bytes[0] / 255;
	folder = open(path, O_RDONLY | O_DIRECTORY);
	fd = openat(folder, LOG_BEFORE, O_WRONLY | O_CREAT, 0600);
	if (write(fd, bytes + 1, cut) < 0)
		abort();
	close(fd);
	fd = openat(folder, LOG_NAME, O_WRONLY | O_CREAT, 0600);
	if (write(fd, bytes + 1 + cut, size - 1 - cut) < 0)
		abort();
	close(fd);
	read_all(folder, &(struct log_query){ .tail = NUMBER_NONE });
	read_all(folder, &(struct log_query){ .tail = 2, .stream = 1 });
	unlinkat(folder, LOG_NAME, 0);
	unlinkat(folder, LOG_BEFORE, 0);
	close(folder);
	rmdir(path);
	return 0;
}
