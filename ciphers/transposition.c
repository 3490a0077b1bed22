/* Where the letters of a transposed text come from. */
#include "ciphers/transposition.h"

void transposition_starts(
    const struct cipher_columns *columns, size_t len, size_t starts[CIPHER_COLUMNS_MAX])
{
    size_t count = columns->count, rows = len / count, longer = len % count, at = 0;
    uint8_t column_of[CIPHER_COLUMNS_MAX];

    for (uint8_t column = 0; column < count; column++)
        column_of[columns->rank[column]] = column;
    for (size_t rank = 0; rank < count; rank++) {
        starts[column_of[rank]] = at;
        at += rows + (column_of[rank] < longer);
    }
}

bool transposition_next_order(struct cipher_columns *columns)
{
    uint8_t *rank = columns->rank, kept;
    size_t at = columns->count - 1u, other = at;

    while (at > 0 && rank[at - 1] > rank[at])
        at--;
    if (at == 0)
        return false;
    while (rank[other] < rank[at - 1])
        other--;
    kept = rank[at - 1];
    rank[at - 1] = rank[other];
    rank[other] = kept;
    for (size_t low = at, high = columns->count - 1u; low < high; low++, high--) {
        kept = rank[low];
        rank[low] = rank[high];
        rank[high] = kept;
    }
    return true;
}

/* How many places before `end` are on a rail: it meets each zigzag of 2 * (rails - 1) places
 * once at the top and the bottom, and twice between. */
static size_t count_on_rail(size_t rail, size_t rails, size_t end)
{
    size_t zigzag = 2 * (rails - 1);
    size_t whole = end / zigzag, rest = end % zigzag;
    size_t down = rest > rail, up = rest > zigzag - rail;

    if (rail == 0 || rail == rails - 1)
        return whole + down;
    return 2 * whole + down + up;
}

void transposition_rail_starts(size_t rails, size_t len, size_t starts[CIPHER_RAILS_MAX])
{
    size_t at = 0;

    for (size_t rail = 0; rail < rails; rail++) {
        starts[rail] = at;
        at += count_on_rail(rail, rails, len);
    }
}

size_t transposition_rail_place(size_t rails, const size_t *starts, size_t place)
{
    size_t zigzag = 2 * (rails - 1), within = place % zigzag;
    size_t rail = within < rails ? within : zigzag - within;

    return starts[rail] + count_on_rail(rail, rails, place);
}

/* Move one letter between its places in plaintext and ciphertext. */
static void move(enum cipher_direction direction, signet_span letters, uint8_t *to,
    size_t plain_place, size_t cipher_place)
{
    if (direction == CIPHER_ENCRYPT)
        to[cipher_place] = letters.ptr[plain_place];
    else
        to[plain_place] = letters.ptr[cipher_place];
}

static void apply_columns(const struct cipher_columns *columns, enum cipher_direction direction,
    signet_span letters, uint8_t *to)
{
    size_t starts[CIPHER_COLUMNS_MAX];
    size_t count = columns->count;

    transposition_starts(columns, letters.len, starts);
    for (size_t column = 0; column < count; column++) {
        size_t at = starts[column];

        for (size_t place = column; place < letters.len; place += count)
            move(direction, letters, to, place, at++);
    }
}

static void apply_rails(
    size_t rails, enum cipher_direction direction, signet_span letters, uint8_t *to)
{
    size_t zigzag = 2 * (rails - 1), at = 0;

    for (size_t rail = 0; rail < rails && rail < letters.len; rail++) {
        for (size_t place = rail; place < letters.len; place += zigzag) {
            size_t up = place + zigzag - 2 * rail;

            move(direction, letters, to, place, at++);
            if (rail > 0 && rail < rails - 1 && up < letters.len)
                move(direction, letters, to, up, at++);
        }
    }
}

/* The second columnar transposition, over the result of the first (or before it, backwards). */
static enum signet_err apply_double(
    const struct cipher_key *key, enum cipher_direction direction, signet_span letters, uint8_t *to)
{
    bool is_encrypting = direction == CIPHER_ENCRYPT;
    struct signet_buf between = {0};
    enum signet_err err = signet_buf_fill(&between, 0, letters.len);

    if (err == SIGNET_OK) {
        apply_columns(&key->as.columns[is_encrypting ? 0 : 1], direction, letters, between.ptr);
        apply_columns(
            &key->as.columns[is_encrypting ? 1 : 0], direction, signet_buf_span(&between), to);
    }
    signet_buf_free(&between);
    return err;
}

enum signet_err transposition_apply(const struct cipher_key *key, enum cipher_direction direction,
    signet_span letters, struct signet_buf *out)
{
    enum signet_err err = signet_buf_reserve(out, letters.len);
    uint8_t *to;

    if (err != SIGNET_OK || letters.len == 0)
        return err;
    to = out->ptr + out->len;
    if (key->kind == CIPHER_RAILFENCE)
        apply_rails(key->as.rails, direction, letters, to);
    else if (key->as.columns[1].count == 0)
        apply_columns(&key->as.columns[0], direction, letters, to);
    else
        err = apply_double(key, direction, letters, to);
    if (err == SIGNET_OK)
        out->len += letters.len;
    return err;
}
