/*
 * Text from others, made safe for a terminal.
 *
 * What could move the cursor, rewrite the screen, reorder or hide text is shown as a visible
 * escape: \x1b for a control character or a byte that is not UTF-8, \u202e and \U000e0041 for
 * other characters. Everything else stays as it is.
 *
 * The two joiners, U+200C and U+200D, are hidden, too, but Persian, the scripts of India and
 * families of emoji cannot be written without them. In a message one of them stays where it has an
 * effect: between two letters of such scripts, or between two emoji; never in a name.
 */
#ifndef TERM_TEXT_H
#define TERM_TEXT_H

#include <signet/buffer.h>

enum text_kind {
    TEXT_LINE, /* a name, an argument: no control character stays */
    TEXT_BODY, /* a message: line feeds and tabs stay */
};

/* Whether a terminal must not be given this character: line feed and tab are among those. */
bool text_is_unsafe(uint32_t code_point);

/* Append the text with its unsafe parts escaped. Errors: NOMEM; `out` is unchanged then. */
SIGNET_MUST_USE enum signet_err text_show(
    signet_span text, enum text_kind kind, struct signet_buf *out);

/* Append printf text. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err text_format(struct signet_buf *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Why a text cannot be a message: a clause about it, and what to do; NULL: nothing to say. */
struct text_flaw {
    char what[80];
    const char *hint;
};

/* Whether a text can be no message. is_whole: it is all that was given, not cut at the limit. */
bool text_has_flaw(signet_span text, bool is_whole, struct text_flaw *flaw);

#endif
