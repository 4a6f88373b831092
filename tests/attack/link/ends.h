/* SPDX-License-Identifier: MIT
 * The two ends of an impaired link: a network namespace each, with one TUN device in it. Used by
 * main.c. Nothing of it has a name in the file system: the devices vanish with the process that
 * opened them, however it ends, and a namespace with the last process in it. */
#ifndef ATTACK_LINK_ENDS_H
#define ATTACK_LINK_ENDS_H

/* The ends' addresses, one network of 24 bits. */
#define LINK_ADDRESS_A "10.77.0.1"
#define LINK_ADDRESS_B "10.77.0.2"

struct link_end {
    int namespace_fd; /* to be entered through /proc/PID/fd/N */
    int device_fd;    /* one IP packet a read or write; does not block */
};

/* Opens one end, in a new namespace that the calling thread is in afterwards. 0, or -1 with `why`
 * naming the step and errno set. */
int link_end_open(struct link_end *end, const char *address, unsigned mtu_bytes, const char **why);

#endif
