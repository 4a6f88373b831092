/* SPDX-License-Identifier: MIT
 * What the chat keeps: users, rooms and seats, and the ring of lines that a room remembers. */
#include "../../server/examples/chat/state.h"

#include <string.h>

#include "check.h"

static const uint64_t seed[2] = {1, 2};
static const struct chat_place nowhere;

static struct chat_name name_of(const char *text)
{
    struct chat_name name;
    assert_int_equal(chat_name_take(&name, text, strlen(text), 32), CHAT_CODE_NONE);
    return name;
}

static struct chat_state *create(uint32_t users, uint32_t rooms, uint32_t seats)
{
    static struct chat_state state;
    const struct chat_sizes sizes = {.users_max = users,
                                     .rooms_max = rooms,
                                     .seats_max = seats,
                                     .history_lines = 4,
                                     .history_bytes = 100,
                                     .bans_max = 3};
    assert_true(chat_state_create(&state, &sizes, seed));
    return &state;
}

static struct chat_user *open_named(struct chat_state *chat, uint64_t conn, const char *text)
{
    const struct chat_name name = name_of(text);
    struct chat_user *user = chat_user_open(chat, (throng_conn){conn}, &nowhere, 0);
    assert_non_null(user);
    assert_true(chat_user_rename(chat, user, &name));
    return user;
}

/* ---- users ---- */

static void a_name_belongs_to_one_user_until_it_is_given_up(void **state)
{
    (void)state;
    struct chat_state *chat = create(3, 2, 4);
    const struct chat_name ana = name_of("ana");
    const struct chat_name upper = name_of("ANA");
    const struct chat_name bob = name_of("bob");
    struct chat_user *first = open_named(chat, 1, "ana");
    struct chat_user *second = open_named(chat, 2, "cy");
    assert_false(chat_user_rename(chat, second, &upper));
    assert_string_equal(second->name.text, "cy");
    assert_true(chat_user_rename(chat, first, &upper)); /* one's own, in another spelling */
    assert_true(chat_user_rename(chat, first, &bob));
    assert_true(chat_user_rename(chat, second, &ana));
    assert_ptr_equal(chat_user_find(chat, &ana), second);
    chat_user_close(chat, second);
    assert_null(chat_user_find(chat, &ana));
    assert_int_equal(chat->user_count, 1);
    assert_true(chat_state_holds(chat));
    chat_state_destroy(chat);
}

static void as_many_users_as_there_may_be_and_then_none(void **state)
{
    (void)state;
    struct chat_state *chat = create(2, 2, 4);
    struct chat_user *first = chat_user_open(chat, (throng_conn){1}, &nowhere, 0);
    assert_non_null(chat_user_open(chat, (throng_conn){2}, &nowhere, 0));
    assert_null(chat_user_open(chat, (throng_conn){3}, &nowhere, 0));
    chat_user_close(chat, first);
    assert_non_null(chat_user_open(chat, (throng_conn){4}, &nowhere, 0));
    assert_true(chat_state_holds(chat));
    chat_state_destroy(chat);
}

static void who_has_no_name_waits_in_the_order_of_coming(void **state)
{
    (void)state;
    struct chat_state *chat = create(4, 2, 4);
    const struct chat_name ana = name_of("ana");
    struct chat_user *users[3];
    for (uint64_t i = 0; i < 3; i++) {
        users[i] = chat_user_open(chat, (throng_conn){i + 1}, &nowhere, i);
    }
    assert_ptr_equal(chat_user_longest_waiting(chat), users[0]);
    assert_true(chat_user_rename(chat, users[1], &ana));
    chat_user_close(chat, users[0]);
    assert_ptr_equal(chat_user_longest_waiting(chat), users[2]);
    chat_user_forget(chat, users[2]);
    assert_null(chat_user_longest_waiting(chat));
    chat_user_close(chat, users[2]);
    assert_true(chat_state_holds(chat));
    chat_state_destroy(chat);
}

/* ---- rooms and seats ---- */

static void members_come_in_order_and_leave_from_anywhere(void **state)
{
    (void)state;
    struct chat_state *chat = create(3, 2, 6);
    const struct chat_name lobby = name_of("lobby");
    struct chat_user *users[3] = {open_named(chat, 1, "a"), open_named(chat, 2, "b"),
                                  open_named(chat, 3, "c")};
    struct chat_room *room = chat_room_create(chat, &lobby, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(chat_seat_take(chat, users[i], room));
    }
    chat_seat_leave(chat, users[1], room, 5);
    assert_non_null(chat_seat_take(chat, users[1], room));
    const size_t order[] = {0, 2, 1};
    const struct chat_seat *seat = chat_seat_at(chat, room->first_seat);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(chat_seat_user(chat, seat), users[order[i]]);
        seat = chat_seat_at(chat, seat->next_in_room);
    }
    assert_null(seat);
    assert_true(chat_state_holds(chat));
    chat_seat_leave(chat, users[0], room, 6);
    chat_seat_leave(chat, users[1], room, 7);
    chat_seat_leave(chat, users[1], room, 8); /* it is not there: nothing */
    chat_seat_leave(chat, users[2], room, 9);
    assert_int_equal(room->members, 0);
    assert_int_equal(room->empty_since_ms, 9);
    assert_true(chat_state_holds(chat));
    chat_state_destroy(chat);
}

static void for_want_of_rooms_the_longest_empty_one_is_forgotten(void **state)
{
    (void)state;
    struct chat_state *chat = create(2, 3, 6);
    const char *const texts[] = {"one", "two", "three", "four", "five"};
    struct chat_name names[5];
    for (size_t i = 0; i < 5; i++) {
        names[i] = name_of(texts[i]);
    }
    struct chat_user *user = open_named(chat, 1, "a");
    assert_non_null(chat_seat_take(chat, user, chat_room_create(chat, &names[0], 10)));
    assert_non_null(chat_room_create(chat, &names[1], 30));
    assert_non_null(chat_room_create(chat, &names[2], 20));
    assert_non_null(chat_room_create(chat, &names[3], 40));
    assert_null(chat_room_find(chat, &names[2]));
    assert_non_null(chat_room_find(chat, &names[0])); /* somebody is in it */
    assert_non_null(chat_room_find(chat, &names[1]));
    assert_non_null(chat_seat_take(chat, user, chat_room_find(chat, &names[1])));
    assert_non_null(chat_seat_take(chat, user, chat_room_find(chat, &names[3])));
    assert_null(chat_room_create(chat, &names[4], 50));
    assert_int_equal(chat->room_count, 3);
    assert_true(chat_state_holds(chat));
    chat_state_destroy(chat);
}

static void a_room_made_again_remembers_nothing(void **state)
{
    (void)state;
    struct chat_state *chat = create(2, 1, 6);
    const struct chat_name lobby = name_of("lobby");
    struct chat_room *room = chat_room_create(chat, &lobby, 0);
    room->seq = 7;
    room->topic_size = 3;
    room->heard.id = 99;
    chat_history_add(&room->history, 7, "line", 4);
    chat_room_remove(chat, room);
    assert_null(chat_room_find(chat, &lobby));
    room = chat_room_create(chat, &lobby, 0);
    assert_int_equal(room->seq, 0);
    assert_int_equal(room->topic_size, 0);
    assert_int_equal(room->history.count, 0);
    assert_int_equal(room->heard.id, 99); /* the library's room is used again */
    chat_state_destroy(chat);
}

/* Anything in any order, against plain arrays. */
static void a_thousand_things_in_any_order_leave_the_state_whole(void **state)
{
    (void)state;
    enum {
        USERS = 12,
        ROOMS = 5,
        SEATS = 30
    };
    struct chat_state *chat = create(USERS, ROOMS, SEATS);
    struct chat_user *users[USERS] = {NULL};
    struct chat_name rooms[ROOMS];
    uint64_t random = test_seed() | 1;
    uint64_t seats_refused = 0;
    for (size_t i = 0; i < ROOMS; i++) {
        const char text[] = {'r', (char)('a' + i), '\0'};
        rooms[i] = name_of(text);
    }
    const uint32_t steps = test_scaled(20000);
    for (uint32_t step = 0; step < steps; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t which = (random >> 33) % USERS;
        const struct chat_name *name = &rooms[(random >> 43) % ROOMS];
        struct chat_room *room = chat_room_find(chat, name);
        struct chat_user *user = users[which];
        if (user == NULL) {
            const char text[] = {'u', (char)('m' + which), '\0'};
            users[which] = open_named(chat, which + 1, text);
            continue;
        }
        switch ((random >> 53) % 8) {
        case 0:
            while (user->seat_count > 0) {
                const struct chat_seat *seat = chat_seat_at(chat, user->first_seat);
                chat_seat_leave(chat, user, chat_seat_room(chat, seat), step);
            }
            chat_user_close(chat, user);
            users[which] = NULL;
            break;
        case 1:
        case 2:
            if (room != NULL) {
                chat_seat_leave(chat, user, room, step);
            }
            break;
        case 3:
            if (room != NULL && room->members == 0) {
                chat_room_remove(chat, room);
            }
            break;
        default:
            room = room != NULL ? room : chat_room_create(chat, name, step);
            if (chat_seat_find(chat, user, room) == NULL &&
                chat_seat_take(chat, user, room) == NULL) {
                seats_refused++;
            }
        }
        assert_true(chat_state_holds(chat));
    }
    assert_true(steps < 1000 || seats_refused > 0);
    chat_state_destroy(chat);
}

static void a_thousand_names_are_found_and_forgotten(void **state)
{
    (void)state;
    enum {
        COUNT = 1000
    };
    struct chat_state *chat = create(COUNT, 1, 1);
    struct chat_user *users[COUNT];
    char text[16];
    for (uint32_t i = 0; i < COUNT; i++) {
        (void)snprintf(text, sizeof(text), "n%u", i * 2); /* no ending that looks like another */
        for (char *at = text; *at != '\0'; at++) {
            *at = *at == '0' ? 'a' : *at == '1' ? 'b' : *at;
        }
        users[i] = open_named(chat, i + 1, text);
    }
    for (uint32_t i = 0; i < COUNT; i += 3) {
        chat_user_close(chat, users[i]);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_ptr_equal(chat_user_find(chat, &users[i]->name), i % 3 == 0 ? NULL : users[i]);
    }
    chat_state_destroy(chat);
}

static void the_budget_is_what_is_reserved(void **state)
{
    (void)state;
    struct throng_budget_term terms[CHAT_TERMS];
    const struct chat_sizes sizes = {.users_max = 1000,
                                     .rooms_max = 10,
                                     .seats_max = 100,
                                     .history_lines = 50,
                                     .history_bytes = 4096,
                                     .bans_max = 10};
    assert_int_equal(chat_state_budget(&sizes, terms), CHAT_TERMS);
    assert_string_equal(terms[0].name, "users");
    assert_int_equal(terms[0].bytes, 1000 * sizeof(struct chat_user));
    assert_string_equal(terms[3].name, "history");
    assert_int_equal(terms[3].bytes, 10 * (50 * 16 + 4096));
}

/* ---- history ---- */

static void the_history_keeps_the_newest_lines_that_fit(void **state)
{
    (void)state;
    struct chat_history_entry entries[5];
    char bytes[64];
    for (size_t size = 1; size <= 65; size++) {
        struct chat_history history;
        chat_history_init(&history, entries, 5, bytes, sizeof(bytes));
        char line[80];
        for (uint64_t seq = 1; seq <= 40; seq++) {
            size_t length = size > 64 ? size : 1 + (size * seq) % size;
            memset(line, 'a' + (int)(seq % 26), sizeof(line));
            chat_history_add(&history, seq, line, length);
            assert_true(history.count <= 5);
            assert_int_equal(history.count == 0, size > 64);
            for (uint32_t i = 0; i < history.count; i++) {
                const struct chat_history_entry *entry = chat_history_at(&history, i);
                assert_int_equal(entry->seq, seq - (history.count - 1 - i));
                for (uint32_t at = 0; at < entry->size; at++) {
                    assert_int_equal(bytes[entry->offset + at], 'a' + (int)(entry->seq % 26));
                }
            }
        }
        assert_true(size > 12 || history.count == 5); /* five short ones fit */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_belongs_to_one_user_until_it_is_given_up),
        cmocka_unit_test(as_many_users_as_there_may_be_and_then_none),
        cmocka_unit_test(who_has_no_name_waits_in_the_order_of_coming),
        cmocka_unit_test(members_come_in_order_and_leave_from_anywhere),
        cmocka_unit_test(for_want_of_rooms_the_longest_empty_one_is_forgotten),
        cmocka_unit_test(a_room_made_again_remembers_nothing),
        cmocka_unit_test(a_thousand_things_in_any_order_leave_the_state_whole),
        cmocka_unit_test(a_thousand_names_are_found_and_forgotten),
        cmocka_unit_test(the_budget_is_what_is_reserved),
        cmocka_unit_test(the_history_keeps_the_newest_lines_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
