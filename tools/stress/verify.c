/* SPDX-License-Identifier: MIT
 * See verify.h. Runs in on_message, on each thread of the swarm. Everything but the first
 * comparison is the path of broken servers; it may be slow, but is bounded. */
#include "verify.h"

/* How far a nameless message is looked for ahead and behind. */
#define NEIGHBOURS 64

/* `sequence` of `connection` was passed over. Until it comes late it is lost. */
static void note_missing(struct verifier *verifier, uint32_t connection, uint64_t sequence)
{
    verifier->lost++;
    if (verifier->missing_count < VERIFY_MISSING_MAX) {
        verifier->missing[verifier->missing_count++] =
            (struct verify_missing){.connection = connection, .sequence = sequence};
    }
}

static bool take_missing(struct verifier *verifier, uint32_t connection, uint64_t sequence)
{
    for (uint32_t i = 0; i < verifier->missing_count; i++) {
        struct verify_missing *missing = &verifier->missing[i];
        if (missing->connection == connection && missing->sequence == sequence) {
            *missing = verifier->missing[--verifier->missing_count];
            return true;
        }
    }
    return false;
}

/* A whole message of an earlier sequence: late if it is missed, else it came before. */
static void count_earlier(struct verifier *verifier, uint32_t connection, uint64_t sequence)
{
    if (take_missing(verifier, connection, sequence)) {
        verifier->lost--;
        verifier->reordered++;
    } else {
        verifier->duplicated++;
    }
}

/* `sequence` has arrived; those between `next` and it have not. */
static void pass_over(struct verifier *verifier, struct verify_stream *stream, uint32_t connection,
                      uint64_t sequence)
{
    while (stream->next < sequence) {
        note_missing(verifier, connection, stream->next++);
    }
    stream->next++;
}

static void count_whole(struct verifier *verifier, struct verify_stream *stream,
                        uint32_t connection, uint64_t sequence)
{
    if (sequence < stream->next) {
        count_earlier(verifier, connection, sequence);
    } else {
        pass_over(verifier, stream, connection, sequence);
    }
}

/* A damaged message stands for the one that it names, or, if that makes no sense, for the next. */
static void count_corrupted(struct verifier *verifier, struct verify_stream *stream,
                            uint32_t connection, uint64_t sequence)
{
    verifier->corrupted++;
    if (stream->next == stream->sent) {
        return; /* nothing is on its way: it stands for none */
    }
    bool sensible = sequence >= stream->next && sequence < stream->sent;
    pass_over(verifier, stream, connection, sensible ? sequence : stream->next);
}

/* A message without a name: one that was passed over, one of the next, or the last ones again. */
static void count_nameless(struct verifier *verifier, struct verify_stream *stream,
                           uint32_t connection, const void *data, size_t size)
{
    const struct payload_kind *kind = &verifier->kind;
    uint64_t last = stream->sent - stream->next < NEIGHBOURS ? stream->sent
                                                             : stream->next + NEIGHBOURS;
    uint64_t first = stream->next < NEIGHBOURS ? 0 : stream->next - NEIGHBOURS;
    for (uint64_t sequence = first; sequence < stream->next; sequence++) {
        if (payload_matches(kind, connection, sequence, data, size) &&
            take_missing(verifier, connection, sequence)) {
            verifier->lost--;
            verifier->reordered++;
            return;
        }
    }
    for (uint64_t sequence = stream->next; sequence < last; sequence++) {
        if (payload_matches(kind, connection, sequence, data, size)) {
            pass_over(verifier, stream, connection, sequence);
            return;
        }
    }
    for (uint64_t sequence = first; sequence < stream->next; sequence++) {
        if (payload_matches(kind, connection, sequence, data, size)) {
            verifier->duplicated++;
            return;
        }
    }
    count_corrupted(verifier, stream, connection, stream->next);
}

/* Everything but the expected message. */
static void count_wrong(struct verifier *verifier, struct verify_stream *stream,
                        uint32_t connection, const void *data, size_t size)
{
    uint32_t named;
    uint64_t sequence;
    if (!payload_names(data, size, &named, &sequence)) {
        count_nameless(verifier, stream, connection, data, size);
        return;
    }
    bool whole = named < verifier->connections &&
                 payload_matches(&verifier->kind, named, sequence, data, size);
    if (whole && named != connection) {
        verifier->foreign++;
    } else if (whole && sequence < stream->sent) {
        count_whole(verifier, stream, connection, sequence);
    } else {
        count_corrupted(verifier, stream, connection, sequence);
    }
}

bool verify_echo(struct verifier *verifier, struct verify_stream *stream, uint32_t connection,
                 const void *data, size_t size)
{
    if (stream->next < stream->sent &&
        payload_matches(&verifier->kind, connection, stream->next, data, size)) {
        stream->next++;
        return true;
    }
    count_wrong(verifier, stream, connection, data, size);
    return false;
}
