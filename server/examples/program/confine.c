/* SPDX-License-Identifier: MIT
 * The order in which a server program gives up what it does not need. See confine.h. */
#include "confine.h"

#include <stdio.h>
#include <string.h>

#include "privileges.h"
#include "sandbox.h"

static struct {
    bool user;
    bool sandbox;
} wanted;

int confine_take_user(const char *name)
{
    /* Looked up now, while files can be read. */
    wanted.user = true;
    return privileges_find(name) ? 0 : 2;
}

int confine_take_sandbox(const char *choice)
{
    wanted.sandbox = strcmp(choice, "on") == 0;
    if (!wanted.sandbox && strcmp(choice, "off") != 0) {
        fprintf(stderr, "sandbox is \"%s\"; it must be on or off\n", choice);
        return 2;
    }
    return wanted.sandbox && !sandbox_is_built() ? 2 : 0;
}

bool confine_before_start(void)
{
    return !wanted.sandbox || sandbox_close_files();
}

bool confine_after_start(void)
{
    /* The filter has no room for becoming another user, so it comes last. */
    return (!wanted.user || privileges_drop()) && (!wanted.sandbox || sandbox_close_calls());
}
