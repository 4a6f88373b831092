/* SPDX-License-Identifier: MIT
 * What somebody typed, taken apart: a command, or a line to say. One table; pure. */
#ifndef CHAT_COMMANDS_H
#define CHAT_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, word, arguments, for people, help). Arguments, in this order: w a word, W an optional
 * one, d optional seconds, t the rest of the line, T the same or nothing. */
#define COMMAND_MAP(X)                                                                             \
    X(HELP, "help", "", "", "this list")                                                           \
    X(JOIN, "join", "w", "ROOM", "enter a room, and look at it")                                   \
    X(LEAVE, "leave", "W", "[ROOM]", "leave a room")                                               \
    X(ROOM, "room", "w", "ROOM", "look at another room that you are in")                           \
    X(NICK, "nick", "w", "NAME", "take another name")                                              \
    X(ME, "me", "t", "TEXT", "say what you do")                                                    \
    X(MSG, "msg", "wt", "NAME TEXT", "a private message")                                          \
    X(WHO, "who", "W", "[ROOM]", "who is in a room")                                               \
    X(ROOMS, "rooms", "", "", "every room of the server")                                          \
    X(TOPIC, "topic", "T", "[TEXT]", "show the topic, or set it; - removes it")                    \
    X(OP, "op", "w", "TOKEN", "become an operator")                                                \
    X(KICK, "kick", "wT", "NAME [REASON]", "put somebody out of this room")                        \
    X(MUTE, "mute", "wdT", "NAME [SECONDS] [REASON]", "somebody may not speak (300)")              \
    X(UNMUTE, "unmute", "w", "NAME", "somebody may speak again")                                   \
    X(BAN, "ban", "wdT", "NAME|ADDRESS [SECONDS] [REASON]", "off the server, for good or so long") \
    X(UNBAN, "unban", "w", "NAME|ADDRESS", "end a ban")                                            \
    X(BANS, "bans", "", "", "who is banned")                                                       \
    X(ANNOUNCE, "announce", "t", "TEXT", "speak to everybody on the server")                       \
    X(CLOSE, "close", "W", "[ROOM]", "end a room: everybody out")                                  \
    X(QUIT, "quit", "", "", "leave the chat")

enum command_kind {
    COMMAND_NOTHING = 0, /* an empty line */
    COMMAND_SAY,         /* `rest` is to be said */
    COMMAND_BAD,         /* `complaint` says why */
#define COMMAND_ENUM(name, word, arguments, usage, help) COMMAND_##name,
    COMMAND_MAP(COMMAND_ENUM)
#undef COMMAND_ENUM
    COMMAND_COUNT
};

#define COMMAND_WORD_SIZE 160
#define COMMAND_SECONDS_MAX 31536000

struct command {
    enum command_kind kind;
    char word[COMMAND_WORD_SIZE]; /* w, W: "" if it was left out; a room without its # */
    bool has_seconds;
    uint32_t seconds;
    const char *rest; /* t, T: in the line that was given, to its end; "" if there is none */
    char complaint[160];
};

/* Reads a NUL-terminated line without its newline. "//x" says "/x". */
void command_read(struct command *command, const char *line);

/* Line `index` of the help, with its usage in front; NULL behind the last one. */
const char *command_help(size_t index, const char **usage);

/* The word of a command, without the slash; NULL behind the last one. For completion. */
const char *command_word(size_t index);

#endif
