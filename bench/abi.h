/* SPDX-License-Identifier: Apache-2.0 */
/* Raw kernel calls for the floor program: numbers and shapes that Debian 12's headers lack, and the one
 * rule for failure: say which step and stop. Nothing here is shared with immure; a floor must not move
 * when the library does. */
#ifndef BENCH_ABI_H
#define BENCH_ABI_H

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467 /* Linux 6.15 */
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

struct options {
	bool is_rootful; /* the parent writes a range map and clones the sources */
	bool has_net, has_time, has_landlock, has_seccomp, has_cap_drops, has_masks, has_tmpfs, has_dev,
		has_etc, has_proc, has_uts, has_ipc, has_cgroup, has_fd_sweep, has_detach;
	bool checks_namespaces, checks_links, checks_status, checks_sets, checks_mounts; /* parts of a self-check */
	bool uses_mount2;	/* binds by mount(2), twice each */
	bool uses_setattr;	/* binds by open_tree + mount_setattr instead of open_tree_attr */
	bool is_early;		/* everything into a detached root, which is attached last (Linux 6.15) */
	bool has_four_tmpfs;	/* a superblock each for /tmp /var/tmp /run /dev/shm */
	bool has_one_tmpfs;	/* one superblock for the four, bound by directory */
	bool uses_chroot;	/* MOVE_MOUNT_BENEATH instead of pivot_root */
	bool forks_payload;	/* fork instead of CLONE_VM|CLONE_VFORK */
	bool shares_init;	/* init in the launcher's memory, CLONE_VM */
	bool vforks_init;	/* the same with CLONE_VFORK */
	bool hands_over;	/* rootless, but the parent writes the map */
	bool announces;		/* the payload tells the launcher that exec comes next */
	bool notifies;		/* the filter has a listener, sent to the launcher */
	bool pins_cpu;		/* launcher and init stay on one CPU until the payload starts */
	bool skips_exec;	/* the payload ends where it would exec */
	int extra_binds, extra_masks;
	const char *program; /* shown in the jail as /home/jail/program */
	const char *skeleton; /* a folder of the host that holds what furnish() makes; it becomes the root */
	char *const *argv;
};

extern const char *const own_name; /* what the program is called in its complaints */
_Noreturn void stop_at(const char *step);

/* Every call of the floor goes through here: a floor that ignored a failure would measure another jail. */
static inline long must(long value, const char *step)
{
	if (value < 0)
		stop_at(step);
	return value;
}

#define raw(step, number, ...) must(syscall(number, __VA_ARGS__), step)

/* tree.c */
void clone_sources(const struct options *options);
void build_tree(const struct options *options);

/* lock.c; the bounding set needs a capability that a change of ids takes away, so it goes first */
void drop_bounding_set(void);
int lock_down(const struct options *options); /* returns the filter's listener, or -1 */

#endif
