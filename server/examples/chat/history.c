/* SPDX-License-Identifier: MIT
 * The last lines of a room. See history.h.
 *
 * Lines lie in `bytes` in their order, each in one piece:
 *
 *     |  old lines ...  |  free  |            |  newer lines ...  |  rest, too short  |
 *     0                 end      first         */
#include "history.h"

#include <string.h>

void chat_history_init(struct chat_history *history, struct chat_history_entry *entries,
                       uint32_t lines_max, char *bytes, uint32_t bytes_max)
{
    *history = (struct chat_history){.lines_max = lines_max, .bytes_max = bytes_max};
    history->entries = entries;
    history->bytes = bytes;
}

void chat_history_clear(struct chat_history *history)
{
    history->first = 0;
    history->count = 0;
}

const struct chat_history_entry *chat_history_at(const struct chat_history *history, uint32_t index)
{
    return &history->entries[(history->first + index) % history->lines_max];
}

static void drop_oldest(struct chat_history *history)
{
    history->first = (history->first + 1) % history->lines_max;
    history->count--;
}

/* Where `size` bytes can lie now, or bytes_max: nowhere. */
static uint32_t find_room(const struct chat_history *history, uint32_t size)
{
    if (history->count == 0) {
        return 0;
    }
    const struct chat_history_entry *oldest = chat_history_at(history, 0);
    const struct chat_history_entry *newest = chat_history_at(history, history->count - 1);
    uint32_t end = newest->offset + newest->size;
    if (newest->offset < oldest->offset) { /* it has wrapped: the gap is between the two */
        return size <= oldest->offset - end ? end : history->bytes_max;
    }
    if (size <= history->bytes_max - end) {
        return end;
    }
    return size <= oldest->offset ? 0 : history->bytes_max;
}

void chat_history_add(struct chat_history *history, uint64_t seq, const void *line, size_t size)
{
    if (history->lines_max == 0 || size == 0 || size > history->bytes_max) {
        chat_history_clear(history);
        return;
    }
    if (history->count == history->lines_max) {
        drop_oldest(history);
    }
    uint32_t offset = find_room(history, (uint32_t)size);
    while (offset == history->bytes_max) {
        drop_oldest(history);
        offset = find_room(history, (uint32_t)size);
    }
    memcpy(history->bytes + offset, line, size);
    uint32_t at = (history->first + history->count) % history->lines_max;
    history->entries[at] = (struct chat_history_entry){seq, offset, (uint32_t)size};
    history->count++;
}
