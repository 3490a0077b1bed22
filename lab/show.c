/* The comparison for people: at most 80 columns wide. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "ciphers/letters.h"
#include "lab/compare.h"
#include "term/text.h"

enum { SAMPLE = 63, SAMPLE_BYTES = 29, BAR_STEPS = 8 };

/* Without spaces at the end of a line. */
static void trim(struct signet_buf *out)
{
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->len--;
}

/* The beginning of a text on one line, a dot for each character that is not ASCII. */
static enum signet_err append_sample(signet_span text, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;
    size_t columns = 0;

    for (size_t i = 0; err == SIGNET_OK && i < text.len && columns < SAMPLE; i++) {
        uint8_t byte = text.ptr[i];

        if (byte >= 0x80 && byte < 0xc0)
            continue;
        err = signet_buf_fill(out, byte < 32 ? ' ' : byte > 126 ? '.' : byte, 1);
        columns++;
    }
    trim(out);
    return err;
}

static enum signet_err append_hex(signet_span bytes, size_t most, struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; err == SIGNET_OK && i < bytes.len && i < most; i++)
        err = text_format(out, "%02x", bytes.ptr[i]);
    if (err == SIGNET_OK && bytes.len > most)
        err = text_format(out, "...");
    return err;
}

/* Bars from nothing to a full block, the highest being the most frequent. */
static enum signet_err append_bars(const size_t *counts, size_t bars, struct signet_buf *out)
{
    static const char *const blocks[BAR_STEPS + 1] = {
        " ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
    size_t most = 1;
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; i < bars; i++)
        most = counts[i] > most ? counts[i] : most;
    for (size_t i = 0; err == SIGNET_OK && i < bars; i++)
        err = text_format(out, "%s", blocks[(counts[i] * BAR_STEPS + most - 1) / most]);
    return err;
}

static enum signet_err show_text(const struct lab_comparison *comparison, struct signet_buf *out)
{
    enum signet_err err = text_format(out, "%-15s ", "plaintext");

    if (err == SIGNET_OK)
        err = append_sample(comparison->text, out);
    if (err == SIGNET_OK)
        err = text_format(out, "\n%-15s ", "");
    if (err == SIGNET_OK)
        err = append_bars(comparison->bars, CIPHER_LETTERS, out);
    return err == SIGNET_OK ? text_format(out, "  equal pairs %.1f %%\n%-15s %s\n",
                                  100 * comparison->coincidence, "", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
                            : err;
}

static enum signet_err show_ciphertext(const struct lab_row *row, struct signet_buf *out)
{
    signet_span ciphertext = signet_buf_span(&row->ciphertext);
    bool is_bytes = row->bar_count == LAB_BARS_MAX;
    enum signet_err err = text_format(out, "%-15s ", row->name);

    if (err == SIGNET_OK)
        err = is_bytes ? append_hex(ciphertext, SAMPLE_BYTES, out) : append_sample(ciphertext, out);
    if (err == SIGNET_OK)
        err = text_format(out, "\n  key %-9.9s ", row->key);
    if (err == SIGNET_OK)
        err = append_bars(row->bars, row->bar_count, out);
    if (err == SIGNET_OK && is_bytes)
        err = text_format(out, "  %.1f of %.1f bits a byte\n", row->entropy, row->entropy_most);
    else if (err == SIGNET_OK)
        err = text_format(out, "  equal pairs %.1f %%\n", 100 * row->coincidence);
    return err;
}

/* ---- the tables ---- */

static enum signet_err show_strength(const struct lab_row *row, struct signet_buf *out)
{
    enum signet_err err = text_format(out, "%-15s %6.1f bits  ", row->name, row->key_bits);

    if (err != SIGNET_OK)
        return err;
    if (row->bar_count == LAB_BARS_MAX)
        return text_format(out, "by arithmetic: 10^%.0f years at %.0f keys/s\n",
            floor(row->years_power), row->per_second);
    if (row->is_broken)
        return text_format(out, "broken in %.3f s, %llu keys tried\n", row->seconds,
            (unsigned long long)row->tries);
    if ((double)row->letters < row->needed)
        return text_format(out, "not broken: about %.0f letters are needed\n", ceil(row->needed));
    return text_format(out, "not broken: %zu letters were not enough\n", row->letters);
}

static enum signet_err show_diffusion(const struct lab_row *row, struct signet_buf *out)
{
    bool is_aead = row->bar_count == LAB_BARS_MAX;
    char changed[48], flipped[48];
    enum signet_err err;

    if (is_aead)
        (void)snprintf(changed, sizeof(changed), "%zu byte%s", row->changed_same_nonce,
            row->changed_tag > 0 ? " and the tag" : "");
    else
        (void)snprintf(changed, sizeof(changed), "%zu of %zu letter%s", row->changed,
            row->changeable, row->changeable == 1 ? "" : "s");
    if (row->is_refused)
        (void)snprintf(flipped, sizeof(flipped), "refused");
    else
        (void)snprintf(flipped, sizeof(flipped), "%zu wrong", row->wrong);
    err = text_format(out, "%-15s %-18s %-33s %s\n", row->name, changed, row->known, flipped);
    if (err == SIGNET_OK && is_aead)
        err = text_format(out, "  and a new nonce %.0f %% of all bits\n",
            100 * (double)row->changed / (double)row->changeable);
    return err;
}

static enum signet_err show_rows(const struct lab_comparison *comparison,
    enum signet_err (*show_row)(const struct lab_row *row, struct signet_buf *out),
    struct signet_buf *out)
{
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; err == SIGNET_OK && i < LAB_ROWS; i++)
        err = show_row(&comparison->rows[i], out);
    return err;
}

enum signet_err lab_show(
    const struct lab_comparison *comparison, bool explain, struct signet_buf *out)
{
    enum signet_err err = text_format(
        out, "WHAT BECOMES OF THE TEXT, and how frequent its letters (or bytes) are then\n\n");

    if (err == SIGNET_OK)
        err = show_text(comparison, out);
    if (err == SIGNET_OK)
        err = show_rows(comparison, show_ciphertext, out);
    if (err == SIGNET_OK)
        err = text_format(out, "\nHOW MANY KEYS THERE ARE, and how long they last, measured here "
                               "and now\n\n");
    if (err == SIGNET_OK)
        err = show_rows(comparison, show_strength, out);
    if (err == SIGNET_OK)
        err = text_format(out, "\nWHAT AN ATTACKER SEES AND CAN DO\n\n%-15s %-18s %-33s %s\n", "",
            "one letter changes", "known plaintext gives", "flipped bit");
    if (err == SIGNET_OK)
        err = show_rows(comparison, show_diffusion, out);
    if (err == SIGNET_OK && explain)
        err = lab_show_lessons(comparison, out);
    else if (err == SIGNET_OK)
        err = text_format(out, "\n--explain walks through it, and shows what a nonce used twice "
                               "gives away.\n");
    if (err == SIGNET_OK && out->len > 0)
        signet_buf_truncate(out, out->len - 1); /* the caller ends the last line */
    return err;
}
