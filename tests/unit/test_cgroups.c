/* SPDX-License-Identifier: Apache-2.0 */
/* Reading where a process stands: a mistake here would put limits into the wrong group, or find none where there is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host/cgroups.h"
#include "spec/io.h"

static void read_texts(struct host *host, const char *mountinfo, const char *membership)
{
	char *mounts = arena_copy(&host->arena, mountinfo), *groups = arena_copy(&host->arena, membership);

	assert_int_equal(cgroups_read(host, mounts, groups, NULL), 0);
}

static void hybrid_gives_each_controller_its_own_place(void **state)
{
	struct host host = { 0 };

	(void)state;
	read_texts(&host,
		   "20 31 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
		   "21 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
		   "24 35 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
		   "27 38 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n"
		   "29 40 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
		   "30 41 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
		   "9:name=systemd:/x\n7:blkio:/\n4:memory:/a/b\n1:cpu,cpuacct:/c\n0::/user.slice\n");
	assert_int_equal(host.controllers[CONTROLLER_MEMORY].version, 1);
	assert_string_equal(host.controllers[CONTROLLER_MEMORY].parent, "/sys/fs/cgroup/memory/a/b");
	assert_string_equal(host.controllers[CONTROLLER_MEMORY].path, "/a/b");
	assert_string_equal(host.controllers[CONTROLLER_CPU].parent, "/sys/fs/cgroup/cpu,cpuacct/c");
	assert_string_equal(host.controllers[CONTROLLER_CPUACCT].parent, "/sys/fs/cgroup/cpu,cpuacct/c");
	assert_string_equal(host.controllers[CONTROLLER_IO].parent, "/sys/fs/cgroup/blkio");
	assert_int_equal(host.controllers[CONTROLLER_PIDS].version, 0);
	assert_int_equal(host.controllers[CONTROLLER_PIDS].lack, LACK_CONTROLLER);
	assert_string_equal(host.unified.mount, "/sys/fs/cgroup/unified");
	assert_string_equal(host.unified.own, "/sys/fs/cgroup/unified/user.slice");
	arena_free(&host.arena);
}

static void a_container_sees_its_group_as_the_mount(void **state)
{
	struct host host = { 0 };

	(void)state;
	read_texts(&host, "24 35 0:32 /docker/1f /sys/fs/cgroup/my\\040memory ro - cgroup cgroup rw,memory\n"
			  "25 35 0:33 /docker/1f /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n",
		   "4:memory:/docker/1f\n8:pids:/docker/1f0\n");
	assert_string_equal(host.controllers[CONTROLLER_MEMORY].parent, "/sys/fs/cgroup/my memory");
	/* "/docker/1f0" is no child of "/docker/1f". */
	assert_null(host.controllers[CONTROLLER_PIDS].parent);
	assert_int_equal(host.controllers[CONTROLLER_PIDS].lack, LACK_OUTSIDE);
	arena_free(&host.arena);
}

static void a_group_outside_of_the_namespace_is_not_guessed(void **state)
{
	struct host host = { 0 };

	(void)state;
	read_texts(&host, "24 35 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../../other\n");
	assert_string_equal(host.unified.mount, "/sys/fs/cgroup");
	assert_null(host.unified.own);
	arena_free(&host.arena);
}

static void garbage_is_no_cgroup(void **state)
{
	struct host host = { 0 };

	(void)state;
	read_texts(&host, "\n - \n1 2 3 - cgroup\n1 2 3:4 / /x rw - cgroup cgroup\nnothing\n", "::\n:\n0:\n4:memory\n");
	for (enum controller i = 0; i < CONTROLLERS; i++)
		assert_int_equal(host.controllers[i].version, 0);
	assert_null(host.unified.mount);
	arena_free(&host.arena);
}

static void io_limits_are_read_whole_or_not_at_all(void **state)
{
	static const char *const bad[] = { "", ":", "8:0", "/dev/sda:", "/dev/sda:rbps", "/dev/sda:rbps=", "/dev/sda:rbps=0",
					   "/dev/sda:rbps=1,", "/dev/sda:rbps=1x", "/dev/sda:ribps=1", ":rbps=1", "8:0:riops=1K" };
	struct arena arena = { 0 };
	struct io_limit limit;
	unsigned major = 0, minor = 0;

	(void)state;
	assert_int_equal(io_limit_read(&arena, "8:16:rbps=1M,wiops=100", &limit, NULL), 0);
	assert_string_equal(limit.device, "8:16");
	assert_int_equal(limit.rates[IO_READ_BYTES], 1 << 20);
	assert_int_equal(limit.rates[IO_WRITE_CALLS], 100);
	assert_true(limit.rates[IO_WRITE_BYTES] == NUMBER_NONE);
	assert_true(io_device_numbers("8:16", &major, &minor) && major == 8 && minor == 16);
	assert_false(io_device_numbers("/dev/sda", &major, &minor) || io_device_numbers("8:", &major, &minor));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_true(io_limit_read(&arena, bad[i], &limit, NULL) < 0);
	arena_free(&arena);
}

static void a_group_of_systemds_is_wanted_where_some_controller_has_no_other(void **state)
{
	struct host host = { .controllers[CONTROLLER_MEMORY].way = CGROUP_DIRECT, .controllers[CONTROLLER_CPU].way = CGROUP_NONE };

	(void)state;
	assert_false(cgroups_may_want_scope(&host));
	host.controllers[CONTROLLER_IO].way = CGROUP_SCOPE;
	assert_true(cgroups_may_want_scope(&host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hybrid_gives_each_controller_its_own_place),
		cmocka_unit_test(a_container_sees_its_group_as_the_mount),
		cmocka_unit_test(a_group_outside_of_the_namespace_is_not_guessed),
		cmocka_unit_test(garbage_is_no_cgroup),
		cmocka_unit_test(io_limits_are_read_whole_or_not_at_all),
		cmocka_unit_test(a_group_of_systemds_is_wanted_where_some_controller_has_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
