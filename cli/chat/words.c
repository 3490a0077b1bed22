/* What is typed in a chat besides messages: /commands, and Tab. */
#include <stdlib.h>
#include <string.h>

#include "cli/chat/state.h"
#include "cli/history.h"

enum { HISTORY_SHOWN = 20 };

/* ---- whom to ---- */

/* Where a message to this one can be read: sealing ends there. */
static bool is_operator(const struct chat *chat, const char *peer)
{
    const struct invitation *relay = engine_relay(chat->agent.engine);
    struct contact contact = {0};
    bool is_it = strcmp(peer, "operator") == 0;

    if (!is_it && relay->has_operator &&
        engine_contact(chat->agent.engine, peer, &contact) == SIGNET_OK)
        is_it = signet_id_equal(&contact.address, &relay->operator_address);
    contact_clear(&contact);
    return is_it;
}

void chat_turn_to(struct chat *chat, const char *peer)
{
    struct signet_id address;
    struct contact contact = {0};
    enum signet_err err;

    if (!signet_name_is_valid(signet_span_str(peer)) &&
        signet_id_parse(peer, &address) != SIGNET_OK) {
        chat_say(chat, "%s is neither a name nor a fingerprint", peer);
        return;
    }
    err = engine_contact(chat->agent.engine, peer, &contact);
    if ((err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_AUTH) && !is_operator(chat, peer))
        chat_say(chat, "%s is not among your contacts: the relay is asked when you write", peer);
    (void)snprintf(chat->peer, sizeof(chat->peer), "%s", peer);
    if (err == SIGNET_OK) {
        if (contact.name[0] != '\0')
            (void)snprintf(chat->peer, sizeof(chat->peer), "%s", contact.name);
        if (contact.has_changed)
            chat_say(chat,
                "the identity behind %s has changed: nothing is sent to it before "
                "`signet contacts accept FINGERPRINT`",
                chat->peer);
    }
    contact_clear(&contact);
    if (is_operator(chat, chat->peer))
        chat_say(chat, "what you write to the operator is sealed up to the operator's machine");
}

/* ---- names ---- */

/* A record_visitor: gather the names, each with its zero. */
static enum signet_err visit(void *ctx, uint64_t number, signet_span value)
{
    struct chat *chat = ctx;
    struct contact contact = {0};
    enum signet_err err = SIGNET_OK;

    (void)number;
    if (value.len == 0 || contact_decode(chat->context->library, value, &contact) != SIGNET_OK)
        return SIGNET_OK;
    if (contact.name[0] != '\0')
        err = signet_buf_append(
            &chat->name_list, signet_span_of(contact.name, strlen(contact.name) + 1));
    contact_clear(&contact);
    return err;
}

static int compare_words(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The contacts' names in order. */
static size_t find_names(struct chat *chat)
{
    const struct record_key all = {.kind = RECORD_CONTACT};
    const struct record_source *records = &chat->agent.records;
    size_t count = 0;

    signet_buf_truncate(&chat->name_list, 0);
    if (records->scan(records->ctx, &all, visit, chat) != SIGNET_OK)
        return 0;
    for (size_t at = 0; at < chat->name_list.len && count < EDITOR_WORDS_MAX;) {
        const char *name = (const char *)chat->name_list.ptr + at;

        chat->names[count++] = name;
        at += strlen(name) + 1;
    }
    if (count > 0)
        qsort(chat->names, count, sizeof(chat->names[0]), compare_words);
    return count;
}

/* ---- commands ---- */

static void say_help(struct chat *chat, const char *rest);

static void quit(struct chat *chat, const char *rest)
{
    (void)rest;
    chat_leave(chat);
}

static void turn_to(struct chat *chat, const char *rest)
{
    if (rest[0] == '\0')
        chat_say(chat, "/to whom?");
    else
        chat_turn_to(chat, rest);
}

static void say_who(struct chat *chat, const char *rest)
{
    size_t count = find_names(chat);

    (void)rest;
    if (count == 0)
        chat_say(chat, "you have no contacts yet: /to NAME, and write");
    for (size_t i = 0; i < count; i++) {
        struct contact contact = {0};
        char groups[SIGNET_ID_GROUPS_SIZE];

        if (engine_contact(chat->agent.engine, chat->names[i], &contact) != SIGNET_OK)
            continue;
        signet_id_groups(&contact.address, groups);
        chat_say(chat, "%s (%s) %s", contact.name, contact_state_word(contact.state), groups);
        contact_clear(&contact);
    }
}

static void say_history(struct chat *chat, const char *rest)
{
    struct history history = {0};
    struct contact contact = {0};

    (void)rest;
    if (engine_contact(chat->agent.engine, chat->peer, &contact) != SIGNET_OK ||
        history_load(&history, &chat->agent, &contact.address) != SIGNET_OK || history.count == 0)
        chat_say(chat, "there is nothing yet");
    for (size_t i = history.count > HISTORY_SHOWN ? history.count - HISTORY_SHOWN : 0;
         i < history.count && chat_show(chat, &history.items[i]); i++)
        ;
    contact_clear(&contact);
    history_free(&history);
}

static const struct word {
    const char *name, *help;
    void (*run)(struct chat *chat, const char *rest);
} words[] = {
    {"/help", "/help        this", say_help},
    {"/history", "/history     what was said here last", say_history},
    {"/quit", "/quit        leave, as Ctrl-D does", quit},
    {"/to", "/to NAME     write to somebody else", turn_to},
    {"/who", "/who         your contacts", say_who},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static void say_help(struct chat *chat, const char *rest)
{
    (void)rest;
    for (size_t i = 0; i < WORDS; i++)
        chat_say(chat, "%s", words[i].help);
    chat_say(chat, "Tab completes names. A line that begins with // is sent with one /. While the "
                   "prompt shows no count, the relay has accepted all you wrote.");
}

void chat_command(struct chat *chat, const char *line)
{
    size_t len = strcspn(line, " ");
    char rest[SIGNET_ID_GROUPS_SIZE];

    (void)snprintf(rest, sizeof(rest), "%s", line + len + strspn(line + len, " "));
    rest[strcspn(rest, " ")] = '\0';
    for (size_t i = 0; i < WORDS; i++) {
        if (strlen(words[i].name) == len && strncmp(words[i].name, line, len) == 0) {
            words[i].run(chat, rest);
            return;
        }
    }
    chat_say(chat, "there is no %.*s: see /help", (int)len, line);
}

size_t chat_complete(void *ctx, const char *line, size_t *word_out, const char **words_out)
{
    struct chat *chat = ctx;
    const char *blank = strrchr(line, ' ');
    const char *word = blank == NULL ? line : blank + 1;
    bool is_command = word == line && word[0] == '/';
    size_t known = is_command ? WORDS : find_names(chat), count = 0;

    *word_out = (size_t)(word - line);
    for (size_t i = 0; i < known; i++) {
        const char *candidate = is_command ? words[i].name : chat->names[i];

        if (strncmp(candidate, word, strlen(word)) == 0)
            words_out[count++] = candidate;
    }
    return count;
}
