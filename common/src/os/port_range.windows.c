/* SPDX-License-Identifier: MIT
 * The range of ephemeral ports on Windows. */
#include "os/port_range.h"

#include <stdbool.h>
#include <windows.h>

/* 49152..65535, what Windows has used since Vista unless somebody has changed it by
 * `netsh int ipv4 set dynamicport tcp start=10000 num=55536`. That figure has no documented place
 * to read it from: `netsh int ipv4 show dynamicport tcp` prints it. Counting too few costs no more
 * than a second source address. */
#define PORTS_UNKNOWN 16384u

/* Before Vista the range began here, and MaxUserPort was its end. Where the value is set today,
 * somebody set it for many outgoing connections, and its range is the one that was meant. */
#define OLD_FIRST_PORT 1025u

uint32_t tg_port_range_count(void)
{
    DWORD last = 0;
    DWORD size = sizeof last;
    LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE,
                                  L"SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters",
                                  L"MaxUserPort", RRF_RT_REG_DWORD, NULL, &last, &size);
    bool is_set = status == ERROR_SUCCESS && last > OLD_FIRST_PORT && last <= UINT16_MAX;
    return is_set ? last - OLD_FIRST_PORT + 1 : PORTS_UNKNOWN;
}
