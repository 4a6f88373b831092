/* SPDX-License-Identifier: MIT
 * Options of the bundled server programs: one table for the command line and the config file (INI,
 * read by libinih if the build has it: `max-connections = 65000`, without the dashes). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <throng/version.h>

#include "program.h"
#include "system.h"
#ifdef PROGRAM_WITH_INIH
#include <ini.h>
#endif

/* Options that are a number. X(option, field, may be 0, help) */
#define NUMBERS(X)                                                                                 \
    X("max-connections", max_connections, 0, "connections at once (65000)")                        \
    X("message-bytes-max", message_bytes_max, 0, "longest payload, bytes (65536)")                 \
    X("backlog", backlog, 0, "connections waiting to be accepted (4096)")                          \
    X("send-queue-bytes-max", send_queue_bytes_max, 0, "waiting for one connection (256 KiB)")     \
    X("send-small-bytes", send_small_bytes, 0, "send memory in 512-byte blocks (32 MiB)")          \
    X("send-large-bytes", send_large_bytes, 0, "send memory in large blocks (16 MiB)")             \
    X("assembly-bytes", assembly_bytes, 0, "memory for unfinished messages, per I/O thread")       \
    X("receive-buffers", receive_buffers, 0, "receive buffers per I/O thread (32)")                \
    X("receive-buffer-bytes", receive_buffer_bytes, 0, "size of each (65536)")                     \
    X("events-max", events_max, 0, "unreleased events per I/O thread (8192)")                      \
    X("socket-send-bytes", socket_send_bytes, 1, "kernel send buffer (0: the system's tuning)")    \
    X("socket-receive-bytes", socket_receive_bytes, 1, "kernel receive buffer (likewise)")         \
    X("linger-ms", linger_ms, 0, "patience of a graceful close (2000)")                            \
    X("accept-pool", accept_pool, 0, "Windows: sockets made ahead per listener (256)")

struct reader {
    struct throng_server_options *options;
    uint32_t listener_count;
    bool wants_budget;
    char text[4096]; /* the config file's strings live here */
    size_t text_used;
};

/* One at a time is enough, and its strings must outlive the start of the server. */
static struct reader reader;

static int complain(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "%s is \"%s\"; it must be %s\n", option, value, expected);
    return 2;
}

static int read_number(const char *option, const char *value, bool may_be_zero, uint64_t most,
                       uint64_t *number)
{
    char *end;
    *number = strtoull(value, &end, 10);
    bool digits = value[0] >= '0' && value[0] <= '9' && *end == '\0';
    if (!digits || *number > most || (*number == 0 && !may_be_zero)) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "a whole number, %d..%" PRIu64,
                       may_be_zero ? 0 : 1, most);
        return complain(option, value, expected);
    }
    return 0;
}

static int read_threads(const char *value)
{
    uint64_t number = THRONG_IO_THREADS_AUTO;
    if (strcmp(value, "auto") != 0) {
        if (read_number("io-threads", value, true, THRONG_IO_THREADS_LIMIT, &number) != 0) {
            return 2;
        }
    }
    reader.options->io_threads = (uint32_t)number;
    return 0;
}

static int read_choice(const char *option, const char *value, const char *first, const char *second,
                       int *choice)
{
    if (strcmp(value, first) == 0 || strcmp(value, second) == 0) {
        *choice = strcmp(value, second) == 0;
        return 0;
    }
    char expected[64];
    (void)snprintf(expected, sizeof(expected), "%s or %s", first, second);
    return complain(option, value, expected);
}

static int read_listen(const char *value)
{
    if (reader.listener_count == THRONG_LISTENERS_MAX) {
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "given %d times at most", THRONG_LISTENERS_MAX);
        return complain("listen", value, expected);
    }
    reader.options->listen[reader.listener_count++] = value;
    return 0;
}

static int read_option(const char *option, const char *value)
{
    int choice;
    if (strcmp(option, "listen") == 0) {
        return read_listen(value);
    }
    if (strcmp(option, "backend") == 0) {
        reader.options->backend = value;
        return 0;
    }
    if (strcmp(option, "io-threads") == 0) {
        return read_threads(value);
    }
    if (strcmp(option, "byte-order") == 0) {
        int result = read_choice(option, value, "big", "little", &choice);
        reader.options->byte_order = result == 0 && choice ? THRONG_BYTE_ORDER_LITTLE
                                                           : THRONG_BYTE_ORDER_BIG;
        return result;
    }
    if (strcmp(option, "when-full") == 0) {
        int result = read_choice(option, value, "refuse", "backlog", &choice);
        reader.options->when_full = result == 0 && choice ? THRONG_WHEN_FULL_BACKLOG
                                                          : THRONG_WHEN_FULL_REFUSE;
        return result;
    }
#define READ_NUMBER(name, field, zero, help)                                                       \
    if (strcmp(option, name) == 0) {                                                               \
        uint64_t most = sizeof(reader.options->field) == 4 ? UINT32_MAX : INT64_MAX;               \
        uint64_t number = 0;                                                                       \
        int result = read_number(option, value, zero, most, &number);                              \
        if (result == 0) {                                                                         \
            *(&reader.options->field) = (__typeof__(reader.options->field))number;                 \
        }                                                                                          \
        return result;                                                                             \
    }
    NUMBERS(READ_NUMBER)
#undef READ_NUMBER
    fprintf(stderr, "unknown option \"%s\"; --help lists them\n", option);
    return 2;
}

#ifdef PROGRAM_WITH_INIH
/* inih: 1 = go on, 0 = this line is bad. */
static int read_config_line(void *user, const char *section, const char *name, const char *value)
{
    int *status = user;
    (void)section; /* sections are for the reader's eyes */
    size_t size = strlen(value) + 1;
    if (size > sizeof(reader.text) - reader.text_used) {
        fprintf(stderr, "the config file's values have more than %zu bytes\n", sizeof(reader.text));
        *status = 2;
        return 0;
    }
    char *kept = memcpy(reader.text + reader.text_used, value, size);
    reader.text_used += size;
    *status = read_option(name, kept);
    return *status == 0;
}

static int read_config(const char *file)
{
    int status = 0;
    int result = ini_parse(file, read_config_line, &status);
    if (result < 0) {
        fprintf(stderr, "cannot read the config file \"%s\"\n", file);
        return 2;
    }
    if (result > 0) {
        fprintf(stderr, "%s, line %d is not right\n", file, result);
        return 2;
    }
    return status;
}
#else
static int read_config(const char *file)
{
    fprintf(stderr, "cannot read \"%s\": this program was built without libinih\n", file);
    return 2;
}
#endif

static void print_help(const char *program, const char *purpose)
{
    printf("%s %s - %s\n\nOptions:\n", program, throng_version(), purpose);
    printf("  --%-22s %s\n", "listen tcp://HOST:PORT", "repeatable; port 0: any (127.0.0.1:7000)");
    printf("  --%-22s %s\n", "backend NAME", system_backends);
    printf("  --%-22s %s\n", "io-threads N",
           "0: inline; auto; raised if the descriptor limit needs it");
    printf("  --%-22s %s\n", "byte-order ORDER", "of the frame length: big, little");
    printf("  --%-22s %s\n", "when-full POLICY", "refuse, backlog");
#define PRINT_NUMBER(name, field, zero, help) printf("  --%-22s %s\n", name " N", help);
    NUMBERS(PRINT_NUMBER)
#undef PRINT_NUMBER
    printf("  --%-22s %s\n", "config FILE", "INI file with these options, without the dashes");
    printf("  --%-22s %s\n", "budget", "print the memory that this would reserve, and exit");
    printf("  --%-22s %s\n", "help, --version", "");
    printf("\nThe descriptor limit (RLIMIT_NOFILE) N allows N - 64 connections per I/O thread;\n"
           "65,000 connections under a limit of 20,000 need 4 I/O threads.\n");
}

static int print_budget(void)
{
    static char text[4096];
    struct throng_budget budget;
    struct throng_error error;
    if (throng_server_budget(reader.options, &budget, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    (void)throng_budget_text(&budget, text, sizeof(text));
    fputs(text, stdout);
    return 0;
}

/* Reads argv[*at] and its value. 0: go on; -1: done, exit 0; else the exit status. */
static int read_argument(int argc, char **argv, int *at, const char *purpose)
{
    const char *argument = argv[*at];
    if (strcmp(argument, "--help") == 0) {
        print_help(argv[0], purpose);
        return -1;
    }
    if (strcmp(argument, "--version") == 0) {
        printf("%s\n", throng_version());
        return -1;
    }
    if (strcmp(argument, "--budget") == 0) {
        reader.wants_budget = true;
        return 0;
    }
    if (strncmp(argument, "--", 2) != 0) {
        fprintf(stderr, "unknown argument \"%s\"; --help lists the options\n", argument);
        return 2;
    }
    if (*at + 1 == argc) {
        fprintf(stderr, "%s needs a value; --help tells which\n", argument);
        return 2;
    }
    const char *value = argv[++*at];
    return strcmp(argument, "--config") == 0 ? read_config(value)
                                             : read_option(argument + 2, value);
}

int program_read_options(struct throng_server_options *options, int argc, char **argv,
                         const char *purpose, int *status)
{
    system_begin();
    memset(&reader, 0, sizeof(reader));
    reader.options = options;
    *status = 0;
    for (int at = 1; at < argc; at++) {
        int result = read_argument(argc, argv, &at, purpose);
        if (result != 0) {
            *status = result < 0 ? 0 : result;
            return 1;
        }
    }
    if (reader.listener_count == 0) {
        options->listen[0] = "tcp://127.0.0.1:7000";
    }
    if (reader.wants_budget) {
        *status = print_budget();
        return 1;
    }
    return 0;
}
