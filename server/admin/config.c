/* The configuration: one table of keys serves reading, checking and writing. */
#include "server/admin/config.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/socket.h"

enum kind { TEXT, NUMBER, CHOICE };

static const char *const registrations[] = {"invitation", "open", "closed", NULL};
static const char *const formats[] = {"text", "json", NULL};

static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;              /* in struct config */
    uint64_t min, max;          /* NUMBER; TEXT: max is the size of the field */
    uint64_t initial;           /* NUMBER, CHOICE */
    const char *const *choices; /* CHOICE */
    const char *comment;
} keys[] = {
#define KEY(field, kind_, ...)                                                                     \
    {                                                                                              \
        .name = #field, .kind = kind_, .offset = offsetof(struct config, field), __VA_ARGS__       \
    }
    KEY(name, TEXT, .max = 256,
        .comment = "The host name or address by which clients reach this relay. They sign it: "
                   "changing it\n# makes existing invitations and homes useless."),
    KEY(listen, TEXT, .max = 64,
        .comment =
            "Where to listen: ADDRESS:PORT; [::]:PORT for all, 0.0.0.0:PORT for all of IPv4."),
    KEY(threads, NUMBER, .max = CONFIG_THREADS_MAX,
        .comment = "Worker threads; 0: one per core, at most 4."),
    KEY(registration, CHOICE, .choices = registrations,
        .comment = "Who may register: invitation (with one), open (anyone), closed (nobody)."),
    KEY(mailbox_messages, NUMBER, .min = 1, .max = 1000000000, .initial = 10000,
        .comment = "How many messages, and bytes, wait for one device before more are refused."),
    KEY(mailbox_bytes, NUMBER, .min = 131072, .max = UINT64_C(1) << 50, .initial = 67108864),
    KEY(message_days, NUMBER, .min = 1, .max = 3650, .initial = 30,
        .comment = "How long a message waits before it is deleted."),
    KEY(connections_per_address, NUMBER, .max = 1000000, .initial = 1000,
        .comment = "How many connections one address may have (of IPv6, one /64); 0: no limit."),
    KEY(connections_per_account, NUMBER, .min = 1, .max = SIGNET_CARD_DEVICES_MAX,
        .initial = SIGNET_CARD_DEVICES_MAX,
        .comment = "How many devices of one account may be logged in at once."),
    KEY(log, CHOICE, .choices = formats, .comment = "Events on stderr: text or json."),
    KEY(certificate, TEXT, .max = CONFIG_PATH_SIZE,
        .comment = "A certificate chain and its key (PEM) instead of the relay's own. The key must "
                   "be one of the\n# two that invitations pin: current.key or backup.key."),
    KEY(key, TEXT, .max = CONFIG_PATH_SIZE),
    KEY(logins_per_second, NUMBER, .max = 1000000, .initial = 4,
        .comment =
            "How often one connection (publishes: one account) may ask, per second; 0: no limit."),
    KEY(publishes_per_second, NUMBER, .max = 1000000, .initial = 4),
    KEY(finds_per_second, NUMBER, .max = 1000000, .initial = 200),
    KEY(takes_per_second, NUMBER, .max = 1000000, .initial = 100),
    KEY(puts_per_second, NUMBER, .max = 1000000, .initial = 20000),
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

static char *text_of(struct config *config, const struct key *key)
{
    return (char *)config + key->offset;
}

static uint64_t *number_of(struct config *config, const struct key *key)
{
    return (void *)((char *)config + key->offset);
}

void config_defaults(struct config *config)
{
    *config = (struct config){.name = "localhost", .listen = CONFIG_LISTEN_DEFAULT};
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (keys[i].kind != TEXT)
            *number_of(config, &keys[i]) = keys[i].initial;
}

/* ---- values ---- */

static bool set_number(const struct key *key, const char *text, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t number;

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return false;
    number = strtoull(text, NULL, 10);
    if (number < key->min || number > key->max)
        return false;
    *value = number;
    return true;
}

static bool set_choice(const struct key *key, const char *text, uint64_t *value)
{
    for (uint64_t i = 0; key->choices[i] != NULL; i++)
        if (strcmp(text, key->choices[i]) == 0) {
            *value = i;
            return true;
        }
    return false;
}

static bool set_text(const struct key *key, const char *text, char *value)
{
    size_t len = strlen(text);

    if (len >= key->max)
        return false;
    memcpy(value, text, len + 1);
    return true;
}

static bool set(struct config *config, const struct key *key, const char *text)
{
    switch (key->kind) {
    case TEXT: return set_text(key, text, text_of(config, key));
    case NUMBER: return set_number(key, text, number_of(config, key));
    case CHOICE: return set_choice(key, text, number_of(config, key));
    }
    return false;
}

/* ---- reading ---- */

struct parse {
    FILE *file;
    struct config config;
    bool is_given[KEY_COUNT];
    unsigned line;
    char *problem; /* CONFIG_PROBLEM_SIZE; empty: none yet */
    const char *path;
};

__attribute__((format(printf, 2, 3))) static void complain(
    struct parse *parse, const char *format, ...)
{
    va_list args;
    int used;

    if (parse->problem[0] != '\0')
        return;
    used =
        snprintf(parse->problem, CONFIG_PROBLEM_SIZE, "%.200s line %u: ", parse->path, parse->line);
    va_start(args, format);
    (void)vsnprintf(parse->problem + used, CONFIG_PROBLEM_SIZE - (size_t)used, format, args);
    va_end(args);
}

/* inih asks for one line after the other; it would cut a long one in two without a word. */
static char *read_line(char *out, int size, void *stream)
{
    struct parse *parse = stream;

    if (parse->problem[0] != '\0' || fgets(out, size, parse->file) == NULL)
        return NULL;
    parse->line++;
    if (strchr(out, '\n') == NULL && !feof(parse->file)) {
        complain(parse, "the line is too long");
        return NULL;
    }
    return out;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
    struct parse *parse = user;

    if (section[0] != '\0') {
        complain(parse, "there are no sections here, but [%.40s]", section);
        return 0;
    }
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (parse->is_given[i])
            complain(parse, "%s is given twice", keys[i].name);
        else if (!set(&parse->config, &keys[i], value))
            complain(parse, "%s cannot be \"%.60s\"", keys[i].name, value);
        parse->is_given[i] = true;
        return parse->problem[0] == '\0';
    }
    complain(parse, "unknown key \"%.60s\"", name);
    return 0;
}

/* What no single key shows. */
static void check(struct parse *parse)
{
    struct config *config = &parse->config;
    struct socket_address address;
    char problem[CONFIG_PROBLEM_SIZE] = "";

    if (socket_address_parse(config->listen, &address) != SIGNET_OK)
        (void)snprintf(
            problem, sizeof(problem), "listen is not ADDRESS:PORT: \"%s\"", config->listen);
    else if (config->name[0] == '\0')
        (void)snprintf(problem, sizeof(problem), "name is empty");
    else if ((config->certificate[0] == '\0') != (config->key[0] == '\0'))
        (void)snprintf(problem, sizeof(problem), "certificate and key go together");
    if (problem[0] != '\0' && parse->problem[0] == '\0')
        (void)snprintf(parse->problem, CONFIG_PROBLEM_SIZE, "%.200s: %.250s", parse->path, problem);
}

enum signet_err config_read(
    const char *path, struct config *config_out, char problem_out[CONFIG_PROBLEM_SIZE])
{
    struct parse parse = {.path = path, .problem = problem_out};
    int line;

    problem_out[0] = '\0';
    config_defaults(&parse.config);
    parse.file = fopen(path, "re");
    if (parse.file == NULL) {
        (void)snprintf(
            problem_out, CONFIG_PROBLEM_SIZE, "cannot read %.300s: %s", path, strerror(errno));
        return SIGNET_ERR_IO;
    }
    line = ini_parse_stream(read_line, &parse, on_key, &parse);
    if (line > 0 && problem_out[0] == '\0') {
        parse.line = (unsigned)line;
        complain(&parse, "not KEY = VALUE");
    }
    if (ferror(parse.file) != 0)
        complain(&parse, "cannot be read");
    (void)fclose(parse.file); /* only read from */
    check(&parse);
    if (problem_out[0] != '\0')
        return SIGNET_ERR_FORMAT;
    *config_out = parse.config;
    return SIGNET_OK;
}

/* ---- writing ---- */

enum signet_err config_default_name(const char *listen, char name_out[256])
{
    struct socket_address address;
    char text[SOCKET_TEXT_SIZE];
    const char *host = text;

    if (socket_address_parse(listen, &address) != SIGNET_OK)
        return SIGNET_ERR_FORMAT;
    socket_host_text(&address, text);
    if (strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0 || strcmp(text, "[::]") == 0)
        host = "localhost";
    (void)snprintf(name_out, 256, "%s", host);
    return SIGNET_OK;
}

static enum signet_err write_key(
    struct config *config, const struct key *key, struct signet_buf *out)
{
    char text[1536];
    char value[CONFIG_PATH_SIZE];

    switch (key->kind) {
    case TEXT: (void)snprintf(value, sizeof(value), "%s", text_of(config, key)); break;
    case NUMBER:
        (void)snprintf(value, sizeof(value), "%llu", (unsigned long long)*number_of(config, key));
        break;
    case CHOICE:
        (void)snprintf(value, sizeof(value), "%s", key->choices[*number_of(config, key)]);
        break;
    }
    /* What is empty is shown as a comment: there is no value that means "none". */
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s =%s%s\n", key->comment != NULL ? "\n# " : "",
        key->comment != NULL ? key->comment : "", key->comment != NULL ? "\n" : "",
        value[0] == '\0' ? "#" : "", key->name, value[0] == '\0' ? "" : " ", value);
    return signet_buf_append(out, signet_span_str(text));
}

enum signet_err config_write(const char *name, const char *listen, struct signet_buf *out)
{
    struct config config;
    enum signet_err err;

    config_defaults(&config);
    if (!set_text(&keys[0], name, config.name) || !set_text(&keys[1], listen, config.listen))
        return SIGNET_ERR_ARGUMENT;
    err = signet_buf_append(out,
        signet_span_str("# The relay's configuration. Check changes with `signetd check-config`;\n"
                        "# SIGHUP takes them over, but for name, listen and threads.\n"));
    for (size_t i = 0; i < KEY_COUNT && err == SIGNET_OK; i++)
        err = write_key(&config, &keys[i], out);
    return err;
}

/* ---- use ---- */

static struct rate_limit rate(uint64_t per_second)
{
    return (struct rate_limit){
        .per_second = (uint32_t)per_second, .burst = (uint32_t)(2 * per_second)};
}

void config_core(const struct config *config, struct core_config *core)
{
    memcpy(core->name, config->name, sizeof(core->name));
    core->message_ms = config->message_days * 24 * 3600 * 1000;
    core->stalled_ms = CORE_STALLED_MS * clock_patience();
    core->rates.login = rate(config->logins_per_second);
    core->rates.publish = rate(config->publishes_per_second);
    core->rates.find = rate(config->finds_per_second);
    core->rates.take = rate(config->takes_per_second);
    core->rates.put = rate(config->puts_per_second);
}

void config_store(const struct config *config, struct store_limits *limits)
{
    *limits = (struct store_limits){
        .mailbox_messages = config->mailbox_messages,
        .mailbox_bytes = config->mailbox_bytes,
        .connections_per_account = config->connections_per_account,
        .take_interval_ms = UINT64_C(3600) * 1000, /* docs/protocol.md, section 10 */
        .take_burst = 32,
        .take_refill_ms = UINT64_C(300) * 1000,
        .open_registration = config->registration == REGISTRATION_OPEN,
        .closed_registration = config->registration == REGISTRATION_CLOSED,
    };
}
