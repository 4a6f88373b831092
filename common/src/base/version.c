/* SPDX-License-Identifier: MIT
 * The version of the linked library. Any thread. */
#include <throng/version.h>

const char *throng_version(void)
{
    return THRONG_VERSION_TEXT;
}
