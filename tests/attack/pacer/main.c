/* SPDX-License-Identifier: MIT
 * attack_pacer: one message every 1 to 3 ms, each to an echo server on 127.0.0.1 and, as the
 * control, to a child of its own that echoes with two system calls. With nothing else under way, a
 * server that misses a wake-up once answers with the next message, or never.
 *
 *     attack_pacer --port 7000 --pid 4711 --seconds 600 --seed 1
 *
 * On a busy machine an answer may be late because the server waits for a processor. So when one is
 * late, the server's threads are looked at: if they all sleep, again and again, nobody is going to
 * answer.
 *
 * Prints one JSON object: messages, latencies of both in ms, late (over LATE_MS), asleep (late ones
 * while all threads slept), lost (no answer within PATIENCE_MS). Started by scenario_wakeups.py. */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define LATE_MS 50
#define LOOKS 4 /* in a row that find all asleep; fewer than a worker's tick of 250 ms lasts */
#define MESSAGE_BYTES 12 /* a length of 8, then the number of the message */

struct latency {
    double max_ms;
    double sum_ms;
    uint64_t late;
    uint64_t asleep;
    uint64_t lost;
    uint64_t wrong;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int connect_server(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

/* A child that sends back what it gets, until the end; answers our end of its socket. */
static int start_control(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child == 0) {
        unsigned char bytes[MESSAGE_BYTES];
        ssize_t size;
        close(pair[0]);
        while ((size = recv(pair[1], bytes, sizeof(bytes), 0)) > 0) {
            if (send(pair[1], bytes, (size_t)size, MSG_NOSIGNAL) != size) {
                break;
            }
        }
        _exit(0);
    }
    close(pair[1]);
    return child < 0 ? -1 : pair[0];
}

/* Whether every thread of the process sleeps. One that was woken and waits for a processor does
 * not. */
static bool is_asleep(unsigned pid)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/proc/%u/task", pid);
    DIR *tasks = opendir(path);
    bool asleep = tasks != NULL;
    const struct dirent *task;
    while (asleep && (task = readdir(tasks)) != NULL) {
        char state = 'S';
        (void)snprintf(path, sizeof(path), "/proc/%u/task/%s/stat", pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (file != NULL) {
            asleep = fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state == 'S';
            (void)fclose(file);
        }
    }
    if (tasks != NULL) {
        (void)closedir(tasks);
    }
    return asleep;
}

/* Waits for the answer, up to LATE_MS at a time. False: it did not come, or not whole. */
static bool await_answer(int fd, unsigned char answer[MESSAGE_BYTES], unsigned pid,
                         struct latency *latency)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    unsigned looks = 0;
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += LATE_MS) {
        if (poll(&watched, 1, LATE_MS) != 0) {
            return recv(fd, answer, MESSAGE_BYTES, MSG_WAITALL) == MESSAGE_BYTES;
        }
        looks = pid != 0 && is_asleep(pid) ? looks + 1 : 0;
        latency->asleep += looks == LOOKS && poll(&watched, 1, 0) == 0 ? 1 : 0;
    }
    return false;
}

/* One message there and back. False: nothing came, and nothing more can be learnt from this end. */
static bool ask(int fd, uint64_t number, unsigned pid, struct latency *latency)
{
    unsigned char message[MESSAGE_BYTES] = {0, 0, 0, MESSAGE_BYTES - 4};
    unsigned char answer[MESSAGE_BYTES];
    memcpy(message + 4, &number, sizeof(number));
    double start = now_ms();
    if (send(fd, message, MESSAGE_BYTES, MSG_NOSIGNAL) != MESSAGE_BYTES ||
        !await_answer(fd, answer, pid, latency)) {
        latency->lost++;
        return false;
    }
    double took = now_ms() - start;
    latency->sum_ms += took;
    latency->max_ms = took > latency->max_ms ? took : latency->max_ms;
    latency->late += took > LATE_MS ? 1 : 0;
    latency->wrong += memcmp(answer, message, MESSAGE_BYTES) != 0 ? 1 : 0;
    return true;
}

static void rest(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    struct timespec pause = {.tv_nsec = 1000000 + (long)((*seed >> 8) % 2000000)};
    nanosleep(&pause, NULL);
}

static void print_latency(const char *name, const struct latency *latency, uint64_t messages)
{
    printf(", \"%s\": {\"max_ms\": %.3f, \"mean_ms\": %.3f, \"late\": %llu, "
           "\"asleep\": %llu, \"lost\": %llu, \"wrong\": %llu}",
           name, latency->max_ms, messages > 0 ? latency->sum_ms / (double)messages : 0,
           (unsigned long long)latency->late, (unsigned long long)latency->asleep,
           (unsigned long long)latency->lost, (unsigned long long)latency->wrong);
}

int main(int argc, char **argv)
{
    unsigned port = 0;
    unsigned pid = 0;
    unsigned seed = 1;
    double seconds = 3;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--port") == 0) {
            port = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--pid") == 0) {
            pid = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            seconds = strtod(argv[i + 1], NULL);
        } else {
            fprintf(stderr, "usage: attack_pacer --port N [--pid N] [--seconds S] [--seed N]\n");
            return 2;
        }
    }
    int control = start_control();
    int server = connect_server(port);
    if (control < 0 || server < 0) {
        perror("attack_pacer: cannot start");
        return 1;
    }
    struct latency ours = {0};
    struct latency theirs = {0};
    uint64_t messages = 0;
    double end = now_ms() + seconds * 1e3;
    while (now_ms() < end && ask(server, messages, pid, &ours) &&
           ask(control, messages, 0, &theirs)) {
        messages++;
        rest(&seed);
    }
    printf("{\"messages\": %llu", (unsigned long long)messages);
    print_latency("server", &ours, messages);
    print_latency("control", &theirs, messages);
    printf("}\n");
    return ours.lost + ours.wrong + ours.asleep == 0 ? 0 : 1;
}
