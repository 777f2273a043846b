# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every guest needs, whichever kernel runs it: the kernel's file systems, one cgroup v2 tree
# with all controllers, and a job started in a group of its own as root or as an ordinary user.
# Runs as root in a guest that is thrown away; nothing here belongs on a real machine.

CGROUPS=/sys/fs/cgroup
GUEST_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount_kernel_filesystems() {
	mountpoint -q /proc || mount -t proc -o nosuid,nodev,noexec proc /proc
	mountpoint -q /sys || mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
	mkdir -p /dev/pts /dev/shm
	mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs -o nosuid,nodev,mode=1777 shm /dev/shm
	ln -sfn /proc/self/fd /dev/fd
	ln -sfn fd/0 /dev/stdin
	ln -sfn fd/1 /dev/stdout
	ln -sfn fd/2 /dev/stderr
}

# As systemd lays it out: PID 1 in a group beside the job's, every controller on for the root's children.
mount_cgroup_v2() {
	local controller

	mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 "$CGROUPS"
	for controller in $(<"$CGROUPS/cgroup.controllers"); do
		echo "+$controller" >"$CGROUPS/cgroup.subtree_control"
	done
	mkdir "$CGROUPS/init" "$CGROUPS/job"
	echo 1 >"$CGROUPS/init/cgroup.procs"
}

# What systemd does for Delegate=yes: the folder and the files that the kernel lists become the user's.
delegate_group() {
	local file group=$1 uid=$2

	chown "$uid:$uid" "$group"
	for file in $(</sys/kernel/cgroup/delegate); do
		[[ ! -e $group/$file ]] || chown "$uid:$uid" "$group/$file"
	done
}

# The user gets a runtime folder and, where newuidmap is installed, a range of subordinate ids.
prepare_user() {
	local file uid=$1

	install -d -m 700 -o "$uid" -g "$uid" "/run/user/$uid" "/run/home/$uid"
	for file in subuid subgid; do
		[[ -e /etc/$file ]] || continue
		echo "$uid:100000:65536" >"/run/$file"
		mount --bind "/run/$file" "/etc/$file"
	done
}

loopback_up() {
	! command -v ip >/dev/null || ip link set lo up
}

# enter_job UID COMMAND...: replaces the calling (sub)shell.
enter_job() {
	local uid=$1
	shift

	echo "$BASHPID" >"$CGROUPS/job/cgroup.procs"
	export PATH=$GUEST_PATH LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 TMPDIR=/tmp
	export HOME=/run/home/$uid XDG_RUNTIME_DIR=/run/user/$uid
	[[ $uid != 0 ]] || exec setsid -w "$@"
	exec setsid -w setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all -- "$@"
}
