/* SPDX-License-Identifier: MIT
 * Where the values of a message lie. The scan leaves one node for each value that it has passed, in
 * memory of the decoder's; throng_value_... read the bytes there when they are asked. Nothing here
 * changes until the next message.
 *
 *   bytes   83  a1 78 05   a1 79 92 01 02   a1 7a c0            {"x": 5, "y": [1, 2], "z": nil}
 *
 *   nodes   0 | 1  2  3  4  5  6 | 7  8                         a container's values are neighbours, so the one with
 *           {} "x" 5 "y" [] "z" nil  1  2                       a given index is found at once
 *            `--^          `---------^                          children */
#ifndef TG_MESSAGE_NODE_H
#define TG_MESSAGE_NODE_H

#include <stdint.h>

struct tg_node {
    const uint8_t *bytes;     /* the value's first byte; all of it has been scanned */
    struct tg_node *children; /* of an array or map: its values, keys too */
};

#endif
