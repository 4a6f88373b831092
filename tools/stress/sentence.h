/* SPDX-License-Identifier: MIT
 * What bots say in a chat, and who and where they are: readable sentences out of a list of words,
 * each a function of (seed, connection, room, sequence), so that a line can be verified without
 * keeping a copy. Names of users and rooms, and back to numbers. Pure. */
#ifndef STRESS_SENTENCE_H
#define STRESS_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the NUL. */
#define SENTENCE_SIZE 256
#define SENTENCE_NAME_SIZE 32

/* Writes the sentence; answers its length. */
size_t sentence_write(char text[SENTENCE_SIZE], uint64_t seed, uint32_t connection, uint32_t room,
                      uint64_t sequence);

/* The user name of a connection. With `like_people`, first names: "ada", "ben", ..., then "ada-2";
 * else "bot-17". And back: false if it is no such name. */
size_t sentence_user(char name[SENTENCE_NAME_SIZE], uint32_t connection, bool like_people);
bool sentence_read_user(const char *name, size_t len, bool like_people, uint32_t *connection);

/* Likewise the name of a room: with `like_people` "lobby", "games", ...; else "room-17". */
size_t sentence_room(char name[SENTENCE_NAME_SIZE], uint32_t room, bool like_people);
bool sentence_read_room(const char *name, size_t len, bool like_people, uint32_t *room);

#endif
