/* SPDX-License-Identifier: MIT
 * The range of ephemeral ports on Linux. */
#include "os/port_range.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* IANA's dynamic ports, 49152..65535: what remains true if the system does not tell. */
#define PORTS_UNKNOWN 16384u

uint32_t tg_port_range_count(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (file == NULL) {
        return PORTS_UNKNOWN;
    }
    char text[64];
    char *end = text;
    bool read = fgets(text, sizeof(text), file) != NULL;
    (void)fclose(file);
    unsigned long first = read ? strtoul(text, &end, 10) : 0;
    unsigned long last = read ? strtoul(end, NULL, 10) : 0;
    return first > 0 && last >= first && last <= UINT16_MAX ? (uint32_t)(last - first + 1)
                                                            : PORTS_UNKNOWN;
}
