/* SPDX-License-Identifier: MIT
 * See sentence.h. */
#include "sentence.h"

#include <stdio.h>
#include <string.h>

/* "<opening> <somebody> <does> <something> <somewhere or somehow>": any of each makes sense, more
 * or less. */
static const char *const openings[] = {
    "I think",       "you know,",     "honestly,",        "by the way,",
    "last night",    "this morning",  "no idea why, but", "funny:",
    "as I said,",    "I read that",   "apparently",       "somebody said that",
    "I'm sure that", "it seems that", "in the end",       "for what it's worth,",
};
static const char *const subjects[] = {
    "my cat",        "the new server", "our neighbour",  "the whole team", "the coffee machine",
    "that old song", "the weather",    "my sister",      "the bus driver", "everybody here",
    "the printer",   "a small bird",   "the last match", "my keyboard",    "the pizza place",
    "the library",
};
static const char *const verbs[] = {
    "likes",     "has seen", "broke",     "is looking for", "forgot",    "wants to fix",
    "sold",      "painted",  "still has", "never had",      "waits for", "talks about",
    "dreams of", "found",    "borrowed",  "asked about",
};
static const char *const objects[] = {
    "the red bicycle", "a better plan",    "three umbrellas",  "the window",
    "an old map",      "the soup",         "my headphones",    "a long weekend",
    "the blue door",   "some fresh bread", "the second level", "a very quiet room",
    "the missing key", "a good joke",      "the night train",  "the garden",
};
static const char *const ends[] = {
    "again",       "by the sea",   "since Monday",     "without asking",   "for no reason",
    "at midnight", "in the rain",  "and nobody knows", "behind the house", "for the first time",
    "as always",   "before lunch", "with great care",  "on the way home",  "like last year",
    "in one hour",
};
static const char marks[] = {'.', '.', '.', '.', '!', '!', '?', '.'};

/* All different, also to a chat that takes l, i and 1, and o and 0, for one. */
static const char *const people[] = {
    "ada",   "ben",   "carla", "dan",   "emma",   "finn", "greta",  "hugo",
    "ines",  "jonas", "karin", "leo",   "mona",   "nils", "otto",   "paula",
    "quinn", "rosa",  "sam",   "tina",  "uwe",    "vera", "walter", "xenia",
    "yann",  "zoe",   "anton", "berta", "carlos", "dora", "edgar",  "frieda",
};
static const char *const places[] = {
    "lobby", "games", "music", "kitchen", "garden", "books", "travel", "cats",
};

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

/* splitmix64, as payload.c. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static const char *pick(const char *const *list, uint32_t count, uint64_t *chance)
{
    const char *word = list[*chance % count];
    *chance /= count;
    return word;
}

size_t sentence_write(char text[SENTENCE_SIZE], uint64_t seed, uint32_t connection, uint32_t room,
                      uint64_t sequence)
{
    uint64_t chance = mix(mix(mix(seed + connection) + room) + sequence);
    const char *opening = pick(openings, COUNT(openings), &chance);
    const char *subject = pick(subjects, COUNT(subjects), &chance);
    const char *verb = pick(verbs, COUNT(verbs), &chance);
    const char *object = pick(objects, COUNT(objects), &chance);
    const char *end = pick(ends, COUNT(ends), &chance);
    char mark = marks[chance % sizeof(marks)];
    int len;
    if (chance / sizeof(marks) % 3 == 0) {
        len = snprintf(text, SENTENCE_SIZE, "%s %s %s %s %s%c", opening, subject, verb, object, end,
                       mark);
    } else {
        len = snprintf(text, SENTENCE_SIZE, "%s %s %s %s%c", subject, verb, object, end, mark);
    }
    if (text[0] >= 'a' && text[0] <= 'z') {
        text[0] = (char)(text[0] - 'a' + 'A');
    }
    return (size_t)len;
}

/* ---- names ---- */

/* Item i of a list, and from its end on again with "-2", "-3" ... */
static size_t write_name(char name[SENTENCE_NAME_SIZE], const char *const *list, uint32_t count,
                         uint32_t number)
{
    int len = number < count ? snprintf(name, SENTENCE_NAME_SIZE, "%s", list[number])
                             : snprintf(name, SENTENCE_NAME_SIZE, "%s-%u", list[number % count],
                                        number / count + 1);
    return (size_t)len;
}

/* Up to nine digits without a zero in front: all of `len`. */
static bool read_number(const char *digits, size_t len, uint32_t *number)
{
    uint32_t sum = 0;
    if (len == 0 || len > 9 || (digits[0] == '0' && len > 1)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return false;
        }
        sum = sum * 10 + (uint32_t)(digits[i] - '0');
    }
    *number = sum;
    return true;
}

static bool read_name(const char *name, size_t len, const char *const *list, uint32_t count,
                      uint32_t *number)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t own = strlen(list[i]);
        if (len < own || memcmp(name, list[i], own) != 0) {
            continue;
        }
        uint32_t round = 1;
        bool numbered = len > own && name[own] == '-' &&
                        read_number(name + own + 1, len - own - 1, &round) && round >= 2;
        if (len == own || numbered) {
            *number = (round - 1) * count + i;
            return true;
        }
    }
    return false;
}

static bool read_prefixed(const char *name, size_t len, const char *prefix, uint32_t *number)
{
    size_t own = strlen(prefix);
    return len > own && memcmp(name, prefix, own) == 0 &&
           read_number(name + own, len - own, number);
}

size_t sentence_user(char name[SENTENCE_NAME_SIZE], uint32_t connection, bool like_people)
{
    return like_people ? write_name(name, people, COUNT(people), connection)
                       : (size_t)snprintf(name, SENTENCE_NAME_SIZE, "bot-%u", connection);
}

bool sentence_read_user(const char *name, size_t len, bool like_people, uint32_t *connection)
{
    return like_people ? read_name(name, len, people, COUNT(people), connection)
                       : read_prefixed(name, len, "bot-", connection);
}

size_t sentence_room(char name[SENTENCE_NAME_SIZE], uint32_t room, bool like_people)
{
    return like_people ? write_name(name, places, COUNT(places), room)
                       : (size_t)snprintf(name, SENTENCE_NAME_SIZE, "room-%u", room);
}

bool sentence_read_room(const char *name, size_t len, bool like_people, uint32_t *room)
{
    return like_people ? read_name(name, len, places, COUNT(places), room)
                       : read_prefixed(name, len, "room-", room);
}
