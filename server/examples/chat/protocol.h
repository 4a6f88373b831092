/* SPDX-License-Identifier: MIT
 * The chat's protocol in names and numbers: types, fields, codes, limits. README.md has it in
 * words. Included by the server, by tools/chat and by tools/stress; nothing here needs a library.
 *
 * Each throng message is an envelope [type, request, body] (common/PROTOCOL.md), body a map with
 * the string keys below. A request with a number is answered under that number: with its own type
 * if it was done, with CHAT_REFUSED if not. A request without one is answered only by
 * CHAT_REFUSED. */
#ifndef CHAT_PROTOCOL_H
#define CHAT_PROTOCOL_H

#define CHAT_VERSION 1

/* What a client sends. X(NAME, number, fields of the request, fields of the reply); "?" may be left
 * out. */
#define CHAT_REQUEST_MAP(X)                                                                        \
    X(HELLO, 1, "name, version", "name, version, now, users, rooms, limits")                       \
    X(NAME, 2, "name", "name")                                                                     \
    X(JOIN, 3, "room, after?", "room, topic, by, seq, members, lines")                             \
    X(LEAVE, 4, "room", "room")                                                                    \
    X(ROOMS, 5, "from?", "rooms, next")                                                            \
    X(WHO, 6, "room, from?", "room, names, next")                                                  \
    X(SAY, 7, "room, text", "room, seq, at")                                                       \
    X(ME, 8, "room, text", "room, seq, at")                                                        \
    X(TELL, 9, "name, text", "name, at")                                                           \
    X(TOPIC, 10, "room, text", "room")                                                             \
    X(PING, 11, "", "now")                                                                         \
    X(OPERATOR, 16, "token", "")                                                                   \
    X(KICK, 17, "name, room?, text?", "name")                                                      \
    X(MUTE, 18, "name, seconds, text?", "name")                                                    \
    X(UNMUTE, 19, "name", "name")                                                                  \
    X(BAN, 20, "name? or address?, seconds, text?", "address or name")                             \
    X(UNBAN, 21, "name? or address?", "address or name")                                           \
    X(BANS, 22, "from?", "bans, next")                                                             \
    X(ANNOUNCE, 23, "text", "")                                                                    \
    X(CLOSE_ROOM, 24, "room, text?", "room")                                                       \
    X(WHOIS, 25, "name", "name, address, rooms, operator, wait_ms")

/* What the server sends by itself; request is nil (REFUSED: or a reply). */
#define CHAT_NOTICE_MAP(X)                                                                         \
    X(LINE, 32, "room, seq, at, from, text, me")                                                   \
    X(PRIVATE, 33, "at, from, text")                                                               \
    X(JOINED, 34, "room, at, name")                                                                \
    X(LEFT, 35, "room, at, name, why, by, text")                                                   \
    X(RENAMED, 36, "room, at, old, name")                                                          \
    X(TOPIC_IS, 37, "room, at, by, text")                                                          \
    X(ANNOUNCED, 38, "at, text")                                                                   \
    X(WARNING, 39, "wait_ms, text")                                                                \
    X(MUTED, 40, "wait_ms, by, text")                                                              \
    X(KICKED, 41, "room, by, text")                                                                \
    X(STALE, 42, "room")                                                                           \
    X(GOODBYE, 43, "code, text")                                                                   \
    X(REFUSED, 44, "code, of, text, field, limit, wait_ms")

enum chat_type {
#define CHAT_REQUEST_ENUM(name, number, request, reply) CHAT_##name = (number),
    CHAT_REQUEST_MAP(CHAT_REQUEST_ENUM)
#undef CHAT_REQUEST_ENUM
#define CHAT_NOTICE_ENUM(name, number, fields) CHAT_##name = (number),
    CHAT_NOTICE_MAP(CHAT_NOTICE_ENUM)
#undef CHAT_NOTICE_ENUM
};

/* Keys of the bodies. Numbers are unsigned, texts UTF-8 (MessagePack str). */
#define CHAT_KEY_ADDRESS "address" /* str: an IP address without port: "192.0.2.1", "2001:db8::1" */
#define CHAT_KEY_AFTER "after"     /* uint: only lines with a greater order number */
#define CHAT_KEY_AT "at"           /* uint: milliseconds since 1970 by the server's clock */
#define CHAT_KEY_BANS "bans"       /* array of maps: name or address, seconds (0: for good), text */
#define CHAT_KEY_BY "by"           /* str: whoever did it; "" if it was the server */
#define CHAT_KEY_CODE "code"       /* uint: enum chat_code */
#define CHAT_KEY_FIELD "field"     /* str: the key of the request that is wrong, "" if it is none */
#define CHAT_KEY_FROM "from" /* LINE, PRIVATE: str, the speaker; lists: uint, a `next` of before */
#define CHAT_KEY_LIMIT "limit"       /* uint: the limit that was passed; 0 if it is none */
#define CHAT_KEY_LIMITS "limits"     /* map: see README.md */
#define CHAT_KEY_LINES "lines"       /* array of LINE bodies, oldest first */
#define CHAT_KEY_ME "me"             /* bool: /me: `from` does what `text` says */
#define CHAT_KEY_MEMBERS "members"   /* uint: members of the room now */
#define CHAT_KEY_NAME "name"         /* str: a user */
#define CHAT_KEY_NAMES "names"       /* array of str */
#define CHAT_KEY_NEXT "next"         /* uint: `from` of the rest of the list; 0: this was all */
#define CHAT_KEY_NOW "now"           /* uint: as `at` */
#define CHAT_KEY_OF "of"             /* uint: the type of the request that was refused */
#define CHAT_KEY_OLD "old"           /* str: the name before */
#define CHAT_KEY_OPERATOR "operator" /* bool: may moderate */
#define CHAT_KEY_ROOM "room"         /* str: the room, in the spelling of who created it */
#define CHAT_KEY_ROOMS "rooms" /* ROOMS: array of maps: room, members, text (topic); HELLO: uint */
#define CHAT_KEY_SECONDS "seconds" /* uint */
#define CHAT_KEY_SEQ "seq"     /* uint: the line's number in its room, 1, 2, 3 ... without gaps */
#define CHAT_KEY_TEXT "text"   /* str: what was said, a topic, a reason, an explanation */
#define CHAT_KEY_TOKEN "token" /* str */
#define CHAT_KEY_TOPIC "topic" /* str, "" if there is none */
#define CHAT_KEY_USERS "users" /* uint: users now */
#define CHAT_KEY_VERSION "version" /* uint: CHAT_VERSION */
#define CHAT_KEY_WAIT "wait_ms"    /* uint: it will be possible again in so long; 0: unknown */
#define CHAT_KEY_WHY "why"         /* uint: enum chat_why */

/* CHAT_REFUSED and CHAT_GOODBYE. X(NAME, number, what it means) */
#define CHAT_CODE_MAP(X)                                                                           \
    X(MALFORMED, 1, "the body is not what the type asks for")                                      \
    X(NO_HELLO, 3, "say hello first")                                                              \
    X(HELLO_AGAIN, 4, "hello was said already")                                                    \
    X(VERSION, 5, "the server speaks another version")                                             \
    X(TOO_LONG, 6, "a text is longer than its limit")                                              \
    X(EMPTY, 7, "a text is empty")                                                                 \
    X(BAD_UTF8, 8, "a text is not UTF-8")                                                          \
    X(BAD_CHARACTER, 9, "a text has a character that may not be there")                            \
    X(RESERVED, 10, "this name is the server's own")                                               \
    X(NAME_TAKEN, 11, "somebody has this name, or one that looks like it")                         \
    X(NO_USER, 12, "there is nobody of this name")                                                 \
    X(NO_ROOM, 13, "there is no such room")                                                        \
    X(NOT_MEMBER, 14, "not in this room")                                                          \
    X(MEMBER_ALREADY, 15, "in this room already")                                                  \
    X(TOO_MANY_ROOMS, 16, "the server has as many rooms as it can")                                \
    X(TOO_MANY_JOINED, 17, "in as many rooms as one may be")                                       \
    X(ROOM_FULL, 18, "the room has as many members as it may")                                     \
    X(FLOOD, 19, "too much at once: this was not done")                                            \
    X(IS_MUTED, 20, "muted for a while")                                                           \
    X(NOT_OPERATOR, 21, "only an operator may")                                                    \
    X(BAD_TOKEN, 22, "this is not the operator's token")                                           \
    X(TOO_MANY_ATTEMPTS, 23, "too many wrong tokens")                                              \
    X(BANNED, 24, "banned")                                                                        \
    X(TOO_MANY_BANS, 25, "the server keeps as many bans as it can")                                \
    X(NO_BAN, 26, "there is no such ban")                                                          \
    X(BAD_ADDRESS, 27, "this is no IP address")                                                    \
    X(OUT_OF_RANGE, 28, "a number is out of its range")                                            \
    X(BUSY, 29, "the server has no memory for it at the moment: try again")                        \
    X(KICKED, 30, "an operator ended the connection")                                              \
    X(SILENT, 31, "no hello came in time")                                                         \
    X(STOPPING, 32, "the server stops")                                                            \
    X(HOPELESS, 33, "too many requests that could not be understood")

enum chat_code {
    CHAT_CODE_NONE = 0,
#define CHAT_CODE_ENUM(name, number, text) CHAT_CODE_##name = (number),
    CHAT_CODE_MAP(CHAT_CODE_ENUM)
#undef CHAT_CODE_ENUM
};

/* CHAT_LEFT: why somebody is gone. */
enum chat_why {
    CHAT_WHY_LEFT = 0,   /* by LEAVE */
    CHAT_WHY_QUIT = 1,   /* the connection ended */
    CHAT_WHY_KICKED = 2, /* by an operator; from the room or from the server */
    CHAT_WHY_CLOSED = 3, /* the room was closed: of all members one notice, without a name */
};

/* Limits that no option changes. Characters are code points. */
#define CHAT_NAME_CHARS_MAX 24   /* a user's name */
#define CHAT_ROOM_CHARS_MAX 32   /* a room's */
#define CHAT_LINE_BYTES_MAX 1024 /* a line, a private message, an announcement */
#define CHAT_TOPIC_BYTES_MAX 256 /* a topic */
#define CHAT_REASON_BYTES_MAX 128
#define CHAT_TOKEN_BYTES_MAX 128
#define CHAT_JOINED_MAX 16          /* rooms that one user can be in */
#define CHAT_PAGE 100               /* entries of a list that one answer has at most */
#define CHAT_SECONDS_MAX 31536000   /* of a mute or a ban: a year */
#define CHAT_REQUEST_BYTES_MAX 4096 /* a whole request */

/* Room for a name in UTF-8 with its NUL. */
#define CHAT_NAME_SIZE (CHAT_NAME_CHARS_MAX * 4 + 1)
#define CHAT_ROOM_SIZE (CHAT_ROOM_CHARS_MAX * 4 + 1)

#endif
