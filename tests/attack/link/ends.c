/* SPDX-License-Identifier: MIT
 * Makes the namespaces and devices of ends.h with the calls that `ip` would use. Needs
 * CAP_NET_ADMIN and CAP_SYS_ADMIN. */
#include "ends.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_address(struct ifreq *request, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    inet_pton(AF_INET, text, &address.sin_addr);
    memcpy(&request->ifr_addr, &address, sizeof(address));
}

static int bring_up(int control, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return ioctl(control, SIOCSIFFLAGS, &request);
}

static int configure(int control, const char *address, unsigned mtu_bytes, const char **why)
{
    struct ifreq request = {.ifr_name = "link"};
    request.ifr_mtu = (int)mtu_bytes;
    *why = "set the MTU";
    if (ioctl(control, SIOCSIFMTU, &request) != 0) {
        return -1;
    }
    *why = "set the address";
    set_address(&request, address);
    if (ioctl(control, SIOCSIFADDR, &request) != 0) {
        return -1;
    }
    set_address(&request, "255.255.255.0");
    if (ioctl(control, SIOCSIFNETMASK, &request) != 0) {
        return -1;
    }
    *why = "bring the devices up";
    return bring_up(control, "link") == 0 && bring_up(control, "lo") == 0 ? 0 : -1;
}

int link_end_open(struct link_end *end, const char *address, unsigned mtu_bytes, const char **why)
{
    *why = "make a network namespace";
    if (unshare(CLONE_NEWNET) != 0) {
        return -1;
    }
    *why = "open /dev/net/tun";
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0) {
        return -1;
    }
    *why = "make a TUN device";
    struct ifreq request = {.ifr_name = "link", .ifr_flags = IFF_TUN | IFF_NO_PI};
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int made = control < 0 ? -1 : ioctl(device, TUNSETIFF, &request);
    if (made == 0) {
        made = configure(control, address, mtu_bytes, why);
    }
    if (control >= 0) {
        close(control);
    }
    int space = made == 0 ? open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC) : -1;
    if (space < 0) {
        close(device);
        return -1;
    }
    *end = (struct link_end){.namespace_fd = space, .device_fd = device};
    return 0;
}
