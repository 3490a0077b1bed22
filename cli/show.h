/*
 * How a message is shown: as lines for people, or as a JSON document (both without the last line
 * feed). The same in receive, chat and history.
 *
 *   12:03 alice (unverified): hello   [verified]
 *   12:04 bob to alice: and you?   [accepted]   (or [not accepted yet], [not sent yet])
 *   !! 2 messages from bob are missing before this one [gap]
 *   !! a message from bob was refused: it was received before [replayed]
 *
 * All text is safe for a terminal. Further rows of a message are indented: on a terminal also those
 * that its width makes; elsewhere a line of its author stays a line.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli/people.h"
#include "engine/history/message.h"

struct show {
    struct people people;
    bool json;
    size_t columns; /* where rows end; 0: where those of a terminal on standard output do */
};

/* Times of the day of `now_ms` are shown without their date. Errors: those of people_find. */
SIGNET_MUST_USE enum signet_err show_message(
    struct show *show, const struct message *message, uint64_t now_ms, struct signet_buf *out);

/* JSON only: that the relay has accepted a message of ours. Errors: those of people_find. */
SIGNET_MUST_USE enum signet_err show_accepted(struct show *show, const struct message *message,
    const struct engine_event *event, struct signet_buf *out);

/* A record of the history that cannot be read. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err show_damaged(
    const struct show *show, uint64_t number, struct signet_buf *out);

/* Local time, "12:03", or "2026-11-22 12:03" where it is of another day than `now_ms`. */
enum { SHOW_TIME_SIZE = 32 };
void show_time(uint64_t ms, uint64_t now_ms, char text[SHOW_TIME_SIZE]);

#endif
