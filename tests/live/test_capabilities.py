# SPDX-License-Identifier: Apache-2.0
"""Capabilities: none unless asked, and those where the program gets them; init cannot be reached."""
BIND = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 80)); print('bound')"


def sets(immure, *options):
    done = immure.run("run", *options, "--", "grep", "-E", "^Cap|^NoNew", "/proc/self/status")
    assert done.returncode == 0, done.stderr
    return {line.split(":")[0]: int(line.split()[1], 16) for line in done.stdout.splitlines()}


def test_there_are_none(immure):
    for options in ([], ["-u", "root"]):
        assert sets(immure, *options) == {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0, "NoNewPrivs": 1}


def test_what_is_added_is_in_all_five_sets(immure):
    found = sets(immure, "--cap-add", "net_raw,cap_kill")
    assert set(found.values()) == {1 << 13 | 1 << 5, 1}


def test_a_low_port_needs_net_bind_service(immure):
    assert "bound" not in immure.run("run", "--", "sh", "-c", f"echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start; /usr/bin/python3 -c \"{BIND}\"").stdout \
        or open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii").read().strip() == "0"
    assert "bound" in immure.run("run", "--cap-add", "net_bind_service", "--", "/usr/bin/python3", "-c", BIND).stdout


def test_chown_of_jail_root(immure):
    if immure.uid:
        return  # a single id has nobody else to give to
    script = "touch /tmp/x && chown 5:5 /tmp/x && stat -c %u /tmp/x"
    assert immure.run("run", "-u", "root", "--", "sh", "-c", script).returncode != 0
    assert immure.run("run", "-u", "root", "--cap-add", "chown", "--", "sh", "-c", script).stdout == "5\n"


def test_init_cannot_be_reached_from_inside(immure):
    script = "for f in exe cwd root fd/0; do readlink /proc/1/$f && echo open; done; cat /proc/1/environ /proc/1/maps /proc/1/mem; kill -9 1; echo end"
    for options in ([], ["-u", "root", "--cap-add", "sys_ptrace,dac_override,kill"]):
        done = immure.run("run", *options, "--", "sh", "-c", script)
        assert done.stdout == "end\n", done.stdout


def test_the_callers_keys_stay_outside(immure):
    done = immure.run("run", "--", "cat", "/proc/keys")
    assert done.stdout == ""
