/* SPDX-License-Identifier: MIT
 * Dropping privileges on POSIX systems. See privileges.h. */
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    uid_t user;
    gid_t group;
} target;

bool privileges_find(const char *user)
{
    errno = 0;
    /* cppcheck-suppress getpwnamCalled ; before the server starts there is one thread */
    const struct passwd *entry = getpwnam(user);
    if (entry == NULL) {
        fprintf(stderr, "user is \"%s\"; it must be a user of this system%s%s\n", user,
                errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
        return false;
    }
    if (entry->pw_uid == 0) {
        fprintf(stderr, "user is \"%s\"; it must be somebody else than root\n", user);
        return false;
    }
    if (geteuid() != 0) {
        fprintf(stderr,
                "user is \"%s\"; only a program that root started can become another user\n", user);
        return false;
    }
    target.user = entry->pw_uid;
    target.group = entry->pw_gid;
    return true;
}

/* The C library does each of these on all threads (nptl(7)). */
static bool become_target(void)
{
    return setgroups(1, &target.group) == 0 &&
           setresgid(target.group, target.group, target.group) == 0 &&
           setresuid(target.user, target.user, target.user) == 0;
}

/* The kernel's word for it, and that there is no way back. */
static bool is_target(void)
{
    uid_t real_user;
    uid_t user;
    uid_t saved_user;
    gid_t real_group;
    gid_t group;
    gid_t saved_group;
    gid_t others[2];
    return getresuid(&real_user, &user, &saved_user) == 0 && real_user == target.user &&
           user == target.user && saved_user == target.user &&
           getresgid(&real_group, &group, &saved_group) == 0 && real_group == target.group &&
           group == target.group && saved_group == target.group && getgroups(2, others) == 1 &&
           others[0] == target.group && setuid(0) != 0 && setgid(0) != 0;
}

bool privileges_drop(void)
{
    if (!become_target()) {
        fprintf(stderr, "the privileges cannot be dropped: %s\n", strerror(errno));
        return false;
    }
    if (!is_target()) {
        fputs("the privileges were dropped, and are still there\n", stderr);
        return false;
    }
    return true;
}
