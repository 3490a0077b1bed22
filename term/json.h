/*
 * Writes one JSON document (RFC 8259) on one line.
 *
 * Each value takes the key under which it stands in its object, NULL inside an array and for the
 * outermost value. The writer keeps its first error; it is asked once, at the end:
 *
 *   json_begin(&json, out);
 *   json_object(&json, NULL);
 *   json_string(&json, "text", text);
 *   json_end(&json);
 *   err = json_finish(&json);
 *
 * A document printed on a terminal cannot drive it: besides what JSON demands, all that
 * text_is_unsafe() names is escaped as \uXXXX. A byte that is not UTF-8 becomes U+FFFD.
 */
#ifndef TERM_JSON_H
#define TERM_JSON_H

#include <signet/buffer.h>

enum { JSON_DEPTH_MAX = 16 };

struct json {
    struct signet_buf *out;
    size_t start;                 /* where the document begins in `out` */
    unsigned depth;               /* objects and arrays that are open */
    char closing[JSON_DEPTH_MAX]; /* what ends each of them */
    bool has_items[JSON_DEPTH_MAX + 1];
    enum signet_err err;
};

/* Append to `out`, which the writer borrows until json_finish. */
void json_begin(struct json *json, struct signet_buf *out);

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
/* End the innermost object or array. */
void json_end(struct json *json);

void json_string(struct json *json, const char *key, signet_span text);
/* A C string; NULL is written as null. */
void json_text(struct json *json, const char *key, const char *text);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
/* With a fixed number of decimals; what is not a number, or infinite, is written as null. */
void json_double(struct json *json, const char *key, double value, unsigned decimals);

/*
 * Errors: NOMEM; STATE (something is open, or a key is missing or too many), ARGUMENT (too deep).
 * `out` is as before json_begin then.
 */
SIGNET_MUST_USE enum signet_err json_finish(struct json *json);

#endif
