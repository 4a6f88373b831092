/* SPDX-License-Identifier: MIT
 * No other users on Windows: a service's account is chosen by who installs it. See privileges.h. */
#include "privileges.h"

#include <stdio.h>

bool privileges_find(const char *user)
{
    fprintf(stderr, "user is \"%s\"; Windows chooses the account when it starts the program\n",
            user);
    return false;
}

bool privileges_drop(void)
{
    return false;
}
