/*
 * The event log: one event a line, as `key=value` text or as JSON lines.
 *
 *   2026-11-22T20:00:00.123Z warn mailbox.put peer="3f9a-22c1" len=512
 *   {"time":"2026-11-22T20:00:00.123Z","level":"warn","event":"mailbox.put","len":512}
 *
 * Strings are always quoted and escaped, so text from others cannot forge a line or drive a
 * terminal: bytes outside printable ASCII are shown as \xNN (JSON: \u00NN), and a string is cut
 * after LOG_STRING_MAX bytes. Never log keys, plaintext or whole envelopes.
 *
 * Several threads may write to one log: each line is one write(2). A line that cannot be written
 * is lost, silently. The log itself is set up before threads start.
 */
#ifndef IO_LOG_H
#define IO_LOG_H

#include <signet/error.h>
#include <signet/id.h>
#include <signet/span.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };
enum { LOG_LINE_MAX = 2048, LOG_STRING_MAX = 256 };

struct log {
    int fd; /* borrowed; 2 is stderr */
    enum log_format format;
    enum log_level threshold; /* lower levels are dropped */
};

enum log_kind { LOG_KIND_END, LOG_KIND_STRING, LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_BOOL };

struct log_field {
    const char *key; /* ours, [a-z0-9_]+ */
    enum log_kind kind;
    union {
        signet_span string;
        uint64_t u64;
        int64_t i64;
        bool flag;
    } value;
};

/*
 * Write one event. `event` is ours, "noun.verb". The fields end with LOG_END:
 *
 *   log_write(log, LOG_WARN, "mailbox.put", LOG_STR("peer", peer), LOG_U64("len", len), LOG_END);
 *
 * A NULL log writes nothing. Fields that do not fit into LOG_LINE_MAX are left out, and the line
 * says so (truncated=true).
 */
#define log_write(log, level, event, ...)                                                          \
    log_write_fields((log), (level), (event), (const struct log_field[]){__VA_ARGS__})

void log_write_fields(
    const struct log *log, enum log_level level, const char *event, const struct log_field *fields);

#define LOG_END (log_end())

static inline struct log_field log_end(void)
{
    return (struct log_field){.kind = LOG_KIND_END};
}

static inline struct log_field LOG_SPAN(const char *key, signet_span bytes) {
    return (struct log_field){.key = key, .kind = LOG_KIND_STRING, .value.string = bytes};
}

/* NULL is the empty string. */
static inline struct log_field
LOG_STR(const char *key, const char *text) {
    return LOG_SPAN(key, signet_span_str(text));
}

static inline struct log_field
LOG_U64(const char *key, uint64_t value) {
    return (struct log_field){.key = key, .kind = LOG_KIND_U64, .value.u64 = value};
}

static inline struct log_field
LOG_I64(const char *key, int64_t value) {
    return (struct log_field){.key = key, .kind = LOG_KIND_I64, .value.i64 = value};
}

static inline struct log_field
LOG_BOOL(const char *key, bool value) {
    return (struct log_field){.key = key, .kind = LOG_KIND_BOOL, .value.flag = value};
}

/* error="malformed" */
static inline struct log_field
LOG_ERR(enum signet_err err) {
    return LOG_STR("error", signet_err_text(err));
}

#endif
