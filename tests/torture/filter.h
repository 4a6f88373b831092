/* SPDX-License-Identifier: MIT
 * What the runner's two sides agree on. */
#ifndef TEST_TORTURE_FILTER_H
#define TEST_TORTURE_FILTER_H

/* A number that is no system call; its arguments are a window and a phase. */
#define FILTER_MARK 100000

/* The exit status of a child whose system has no such filter. */
#define FILTER_MISSING 77

/* The child's end of the channel. */
extern int filter_channel;

/* The parent: takes the filter's descriptor from the channel; -1 at its end. */
int filter_take(int channel);

#endif
