/* SPDX-License-Identifier: MIT
 * What the bundled server programs share: options from the command line and a config file, signals,
 * a log sink. Not part of the library; copy it if it fits. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <throng/server.h>

/* Reads the command line (and --config FILE) into `options`, which has its defaults already. The
 * strings stay in argv or in this module. Answers 0: go on; else the process is to exit with
 * *status: after --help, --version, --budget (0), or a bad option (2), which was reported on
 * standard error. */
int program_read_options(struct throng_server_options *options, int argc, char **argv,
                         const char *purpose, int *status);

/* Starts the server, prints "listening on tcp://HOST:PORT" for each listener on standard output,
 * and makes requests to end (SIGTERM, SIGINT; Windows: Ctrl-C, Ctrl-Break, a closed console) count in
 * program_signalled() and wake the server. NULL, after a line on standard error and with the exit
 * status set, if it cannot start. */
struct throng_server *program_start(const struct throng_server_options *options, int *status);

/* Requests to end so far: 0 = go on, 1 = drain, 2 and more = stop now. */
int program_signalled(void);

/* Prints the counters that matter to standard error, stops the server. Answers the exit status. */
int program_finish(struct throng_server *server);

#endif
