/* SPDX-License-Identifier: MIT
 * Links the server library and nothing else of throng. */
#include <throng/server.h>
#include <throng/version.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    struct throng_server_options options;
    throng_server_options_init(&options);
    printf("throng %s: %u connections\n", throng_version(), (unsigned)options.max_connections);
    return strcmp(throng_version(), THRONG_VERSION_TEXT) == 0 ? 0 : 1;
}
