/* SPDX-License-Identifier: MIT
 * Intrusive doubly linked list with a sentinel. Not thread safe: a list has one owner thread. */
#ifndef TG_BASE_LIST_H
#define TG_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct tg_list {
    struct tg_list *next;
    struct tg_list *prev;
};

/* The record that embeds `node` as its member `member`. */
#define TG_CONTAINER_OF(node, type, member)                                                        \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void tg_list_init(struct tg_list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool tg_list_is_empty(const struct tg_list *list)
{
    return list->next == list;
}

/* A node that was initialised and is in no list. */
static inline bool tg_list_is_linked(const struct tg_list *node)
{
    return node->next != node;
}

static inline void tg_list_push_back(struct tg_list *list, struct tg_list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void tg_list_push_front(struct tg_list *list, struct tg_list *node)
{
    tg_list_push_back(list->next, node); /* before the first one */
}

/* Takes a node out and leaves it as an empty list; harmless on a node that is in no list. */
static inline void tg_list_remove(struct tg_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    tg_list_init(node);
}

/* The first node, taken out; NULL if there is none. */
static inline struct tg_list *tg_list_pop_front(struct tg_list *list)
{
    struct tg_list *node = list->next;
    if (node == list) {
        return NULL;
    }
    tg_list_remove(node);
    return node;
}

/* Moves all nodes of `source` to the (empty) list `target`, keeping their order. */
static inline void tg_list_take_all(struct tg_list *target, struct tg_list *source)
{
    tg_list_init(target);
    if (tg_list_is_empty(source)) {
        return;
    }
    *target = *source;
    target->next->prev = target;
    target->prev->next = target;
    tg_list_init(source);
}

#endif
