/* SPDX-License-Identifier: Apache-2.0 */
/* The small language of --io-max: DEVICE:rbps=1M,wbps=1M,riops=100,wiops=100; a device is a path or MAJOR:MINOR. */
#ifndef IMMURE_SPEC_IO_H
#define IMMURE_SPEC_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum io_rate { IO_READ_BYTES, IO_WRITE_BYTES, IO_READ_CALLS, IO_WRITE_CALLS, IO_RATES };

extern const char *const io_rate_names[IO_RATES]; /* "rbps", ... as io.max of cgroup v2 has them */

struct io_limit {
	const char *device;
	uint64_t rates[IO_RATES]; /* a second; NUMBER_NONE: not limited */
};

/* Reads TEXT; the device's name is put into ARENA. */
int io_limit_read(struct arena *arena, const char *text, struct io_limit *limit, struct error *err) MUST_CHECK;

/* "8:0": the numbers. Whether TEXT has that form. */
bool io_device_numbers(const char *text, unsigned *major, unsigned *minor);

#endif
