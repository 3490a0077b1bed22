/* How a message is shown. */
#include "cli/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "term/json.h"
#include "term/screen.h"
#include "term/text.h"

enum { INDENT = 4, COLUMNS_NARROW = 20, COLUMNS_LEAST = 3, TAB = 8 };

/* What a message says, being written below its first row or further right. */
struct body {
    struct signet_buf *out;
    size_t columns, column, indent;
};

void show_time(uint64_t ms, uint64_t now_ms, char text[SHOW_TIME_SIZE])
{
    time_t at = (time_t)(ms / 1000), now = (time_t)(now_ms / 1000);
    struct tm then = {0}, today = {0};
    bool is_today;

    if (localtime_r(&at, &then) == NULL || localtime_r(&now, &today) == NULL) {
        (void)snprintf(text, SHOW_TIME_SIZE, "(no time)");
        return;
    }
    is_today = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
    if (strftime(text, SHOW_TIME_SIZE, is_today ? "%H:%M" : "%Y-%m-%d %H:%M", &then) == 0)
        (void)snprintf(text, SHOW_TIME_SIZE, "(no time)");
}

/* ---- bodies ---- */

/*
 * No row of a body begins where a message begins: neither after a line feed of its author, nor
 * where the terminal would go on by itself in the next row, which spaces can bring about anywhere.
 */
static struct body begin_body(const struct show *show, size_t start, struct signet_buf *out)
{
    size_t columns = show->columns != 0 ? show->columns : screen_columns();
    struct body body = {.out = out, .columns = SIZE_MAX, .indent = INDENT};

    if (columns != 0)
        body.columns = columns < COLUMNS_LEAST ? COLUMNS_LEAST : columns;
    if (body.columns < COLUMNS_NARROW)
        body.indent = 1;
    body.column = (out->len - start) % body.columns; /* a head is ASCII, and may be too long */
    return body;
}

static enum signet_err begin_row(struct body *body)
{
    body->column = body->indent;
    return text_format(body->out, "\n%*s", (int)body->indent, "");
}

static enum signet_err put_character(struct body *body, signet_span bytes, size_t width)
{
    enum signet_err err;

    if (width > body->columns - body->column && (err = begin_row(body)) != SIGNET_OK)
        return err;
    body->column += width;
    return signet_buf_append(body->out, bytes);
}

/* As the blanks that a terminal makes of it, up to the end of the row: it may have its tab stops
 * elsewhere. */
static enum signet_err put_tab(struct body *body)
{
    size_t blanks = TAB - body->column % TAB, room = body->columns - body->column;

    if (body->columns == SIZE_MAX)
        return put_character(body, signet_span_str("\t"), blanks);
    if (blanks > room)
        blanks = room;
    body->column += blanks;
    return text_format(body->out, "%*s", (int)blanks, "");
}

/* Text as its author wrote it, made safe. */
static enum signet_err put_text(struct body *body, signet_span text)
{
    struct signet_buf safe = {0};
    enum signet_err err = text_show(text, TEXT_BODY, &safe);
    signet_span rest = signet_buf_span(&safe);

    while (err == SIGNET_OK && rest.len > 0) {
        uint32_t code_point = 0;
        size_t len = utf8_decode(rest, &code_point);

        if (code_point == '\n')
            err = begin_row(body);
        else if (code_point == '\t')
            err = put_tab(body);
        else
            err = put_character(body, signet_span_of(rest.ptr, len), screen_width(code_point));
        rest = signet_span_from(rest, len);
    }
    signet_buf_free(&safe);
    return err;
}

/* The verdict, in the same row or in one of its own. */
static enum signet_err end_body(struct body *body, const char *word)
{
    size_t len = strlen("   []") + strlen(word);
    enum signet_err err;

    if (len <= body->columns - body->column)
        return text_format(body->out, "   [%s]", word);
    if ((err = begin_row(body)) != SIGNET_OK)
        return err;
    return text_format(body->out, "[%s]", word);
}

/* ---- messages ---- */

/* What is said of a message before it: one line, or nothing. */
static enum signet_err put_warning(
    const struct message *message, const char *name, struct signet_buf *out)
{
    uint64_t missing = message->missing;

    if (message->verdict == VERDICT_GAP && missing > 0)
        return text_format(out,
            "!! %" PRIu64 " message%s from %s %s missing before this one [%s]\n", missing,
            missing == 1 ? "" : "s", name, missing == 1 ? "is" : "are",
            verdict_word(message->verdict));
    if (message->verdict == VERDICT_GAP || message->verdict == VERDICT_FORK)
        return text_format(out, "!! of the next message from %s: %s [%s]\n", name,
            verdict_meaning(message->verdict), verdict_word(message->verdict));
    return SIGNET_OK;
}

static enum signet_err show_refused(
    const struct message *message, const struct person *person, struct signet_buf *out)
{
    return text_format(out, "!! a message from %s was refused: %s [%s]",
        person == NULL ? "an unknown sender" : person->name, verdict_meaning(message->verdict),
        verdict_word(message->verdict));
}

/* What the other side says that it has not got. */
static enum signet_err show_missing(
    const struct message *message, const struct person *person, struct signet_buf *out)
{
    uint64_t missing = message->missing;

    return text_format(out,
        "!! %s has lost keys, and says that %" PRIu64 " of your messages %s not there: send %s "
        "again [%s]",
        person->name, missing, missing == 1 ? "is" : "are", missing == 1 ? "it" : "them",
        verdict_word(message->verdict));
}

/* An entry that only names what the other side has got, and says of our texts nothing that is new:
 * what is amiss with its place in the conversation. */
static enum signet_err show_heads(
    const struct message *message, const struct person *person, struct signet_buf *out)
{
    uint64_t missing = message->missing;

    if (message->verdict == VERDICT_GAP && missing > 0)
        return text_format(out, "!! %" PRIu64 " message%s from %s %s missing [%s]", missing,
            missing == 1 ? "" : "s", person->name, missing == 1 ? "is" : "are",
            verdict_word(message->verdict));
    return text_format(out, "!! %s has named what it has got of yours: %s [%s]", person->name,
        verdict_meaning(message->verdict), verdict_word(message->verdict));
}

static enum signet_err show_received(const struct show *show, const struct message *message,
    const struct person *person, const char *at, struct signet_buf *out)
{
    const char *state = contact_state_word(person->is_contact ? person->state : CONTACT_NEW);
    struct body body;
    enum signet_err err;
    size_t start;

    if ((err = put_warning(message, person->name, out)) != SIGNET_OK)
        return err;
    start = out->len;
    if ((err = text_format(out, "%s %s (%s): ", at, person->name, state)) != SIGNET_OK)
        return err;
    body = begin_body(show, start, out);
    if ((err = put_text(&body, signet_buf_span(&message->text))) != SIGNET_OK)
        return err;
    return end_body(&body, verdict_word(message->verdict));
}

/* It is not sealed yet: only then it has no id. */
static bool is_queued(const struct message *message)
{
    return message->is_outgoing && signet_id_is_zero(&message->id);
}

static enum signet_err show_own(const struct show *show, const struct message *message,
    const struct person *peer, const char *at, struct signet_buf *out)
{
    size_t start = out->len;
    struct body body;
    enum signet_err err;

    err = text_format(out, "%s %s to %s: ", at, engine_name(show->people.engine), peer->name);
    if (err != SIGNET_OK)
        return err;
    body = begin_body(show, start, out);
    if ((err = put_text(&body, signet_buf_span(&message->text))) != SIGNET_OK)
        return err;
    if (is_queued(message))
        return end_body(&body, "not sent yet");
    if (message->verdict == VERDICT_MISSING)
        return end_body(&body, verdict_word(message->verdict));
    return end_body(&body, message->accepted_at != 0 ? "accepted" : "not accepted yet");
}

/* ---- JSON ---- */

static void put_id(struct json *json, const char *key, const struct signet_id *id)
{
    char text[SIGNET_ID_TEXT_SIZE];

    signet_id_text(id, text);
    json_text(json, key, signet_id_is_zero(id) ? NULL : text);
}

/* Zero stands for "not known". */
static void put_number(struct json *json, const char *key, uint64_t value)
{
    if (value == 0)
        json_null(json, key);
    else
        json_u64(json, key, value);
}

static void put_sender(struct json *json, const struct show *show, const struct message *message,
    const struct person *person)
{
    const char *from = person == NULL ? NULL : person->name;

    json_text(json, "from", message->is_outgoing ? engine_name(show->people.engine) : from);
    put_id(json, "address", &message->address);
    if (message->is_outgoing || person == NULL)
        json_null(json, "contact");
    else
        json_text(
            json, "contact", contact_state_word(person->is_contact ? person->state : CONTACT_NEW));
}

/* person: the other side; NULL: not known. */
static enum signet_err show_json(const struct show *show, const struct message *message,
    const struct person *person, struct signet_buf *out)
{
    bool is_text = message->kind == SIGNET_KIND_TEXT;
    bool has_text = is_text && verdict_is_authentic(message->verdict);
    struct json json;

    json_begin(&json, out);
    json_object(&json, NULL);
    put_id(&json, "id", &message->id);
    put_id(&json, "conversation", &message->conversation);
    put_sender(&json, show, message, person);
    put_id(&json, "device", &message->device);
    put_number(&json, "sequence", message->sequence);
    put_number(&json, "sent_at", message->sent_at);
    put_number(&json, "received_at", message->received_at);
    json_text(&json, "kind", is_text ? "text" : NULL);
    if (has_text)
        json_string(&json, "text", signet_buf_span(&message->text));
    else
        json_null(&json, "text");
    json_text(&json, "verdict", is_queued(message) ? "queued" : verdict_word(message->verdict));
    put_number(&json, "suite", message->suite);
    if (message->verdict == VERDICT_GAP || (!is_text && message->verdict == VERDICT_MISSING))
        json_u64(&json, "missing", message->missing);
    if (message->is_outgoing) {
        json_text(&json, "to", person == NULL ? NULL : person->name);
        put_number(&json, "accepted_at", message->accepted_at);
    }
    json_end(&json);
    return json_finish(&json);
}

enum signet_err show_message(
    struct show *show, const struct message *message, uint64_t now_ms, struct signet_buf *out)
{
    const struct signet_id *other = message->is_outgoing ? &message->peer : &message->address;
    const struct person *person = NULL;
    char at[SHOW_TIME_SIZE];
    enum signet_err err;

    if (!signet_id_is_zero(other) &&
        (err = people_find(&show->people, other, &person)) != SIGNET_OK)
        return err;
    if (show->json)
        return show_json(show, message, person, out);
    if (person == NULL || !verdict_is_authentic(message->verdict))
        return show_refused(message, person, out);
    if (!message->is_outgoing && message->verdict == VERDICT_MISSING)
        return show_missing(message, person, out);
    if (!message->is_outgoing && message->kind == SIGNET_KIND_HEADS)
        return show_heads(message, person, out);
    /* The time that the sender claims is in the JSON form: here stands what we know. */
    show_time(message->received_at, now_ms, at);
    if (message->is_outgoing)
        return show_own(show, message, person, at, out);
    return show_received(show, message, person, at, out);
}

enum signet_err show_accepted(struct show *show, const struct message *message,
    const struct engine_event *event, struct signet_buf *out)
{
    const struct person *peer = NULL;
    struct json json;
    enum signet_err err = people_find(&show->people, &message->peer, &peer);

    if (err != SIGNET_OK)
        return err;
    json_begin(&json, out);
    json_object(&json, NULL);
    put_id(&json, "id", &event->id);
    json_text(&json, "to", peer->name);
    json_u64(&json, "accepted_at", event->at);
    json_end(&json);
    return json_finish(&json);
}

enum signet_err show_damaged(const struct show *show, uint64_t number, struct signet_buf *out)
{
    struct json json;

    if (!show->json)
        return text_format(out, "!! line %" PRIu64 " of the history is damaged [damaged]", number);
    json_begin(&json, out);
    json_object(&json, NULL);
    json_null(&json, "id");
    json_u64(&json, "line", number);
    json_null(&json, "text");
    json_text(&json, "verdict", "damaged");
    json_end(&json);
    return json_finish(&json);
}
