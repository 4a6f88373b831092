/* SPDX-License-Identifier: MIT
 * No sandbox: Windows, and Linux builds without libseccomp. See sandbox.h. */
#include "sandbox.h"

#include <stdio.h>

bool sandbox_is_built(void)
{
    fputs("sandbox is \"on\"; it must be off: this program was built without one, which takes "
          "Linux and "
          "libseccomp\n",
          stderr);
    return false;
}

bool sandbox_close_files(void)
{
    return false;
}

bool sandbox_close_calls(void)
{
    return false;
}
