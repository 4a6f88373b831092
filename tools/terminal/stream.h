/* SPDX-License-Identifier: MIT
 * A plain TCP connection of bytes, for what speaks no frames (HTTP). Nothing waits but stream_wait.
 * Main thread. */
#ifndef TERMINAL_STREAM_H
#define TERMINAL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <throng/types.h>

/* Not now: what stream_send and stream_receive answer where they would have to wait. */
#define STREAM_NOT_NOW (-1)
#define STREAM_FAILED (-2)

/* Begins to connect; -1 if the system refuses at once. */
intptr_t stream_open(const struct throng_address *address);

/* Waits until it can be written to (it is connected, or has failed), or read from. False when the
 * time is over or the program shall end (system.h). */
bool stream_wait(intptr_t stream, bool write, int timeout_ms);

/* Bytes sent, bytes received (0: the peer has ended), or one of the above. */
int stream_send(intptr_t stream, const char *data, size_t size);
int stream_receive(intptr_t stream, char *data, size_t size);

void stream_close(intptr_t stream);

#endif
