/* Cryptanalysis of anything: it ends with candidates in order, or refuses what is too short. */
#include "fuzz/fuzz.h"

#include "ciphers/crack.h"
#include "ciphers/letters.h"

enum { TEXT_MAX = 120, TOLD_MAX = 1 };

/* Annealing a whole search for each input would take seconds. */
static bool stop_soon(void *ctx, enum cipher_kind kind, const struct crack_result *so_far)
{
    (void)kind;
    (void)so_far;
    return ++*(unsigned *)ctx < TOLD_MAX;
}

static void check_result(enum signet_err err, signet_span text, const struct crack_result *result)
{
    if (letters_count(text) < CRACK_LETTERS_MIN) {
        FUZZ_REQUIRE(err == SIGNET_ERR_ARGUMENT);
        return;
    }
    FUZZ_REQUIRE(err == SIGNET_OK);
    FUZZ_REQUIRE(result->count > 0 && result->count <= CRACK_TOP_MAX);
    for (size_t i = 0; i < result->count; i++) {
        const struct crack_candidate *candidate = &result->candidates[i];

        FUZZ_REQUIRE(i == 0 || candidate[-1].evidence >= candidate->evidence);
        FUZZ_REQUIRE(candidate->confidence >= 0 && candidate->confidence <= 1);
        FUZZ_REQUIRE(candidate->score <= 0);
    }
}

/* The first byte says of which cipher the rest is taken to be; one in so many, of an unknown one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cipher_model *model;
    unsigned told = 0, kind = size == 0 ? 0 : data[0] % (CIPHER_COUNT + 1);
    size_t len = size == 0 ? 0 : size - 1;
    signet_span text = signet_span_of(data + (size > 0), len < TEXT_MAX ? len : TEXT_MAX);
    struct crack_options options = {.seed = 1, .on_progress = stop_soon, .ctx = &told};
    struct crack_result result;

    if (model == NULL)
        FUZZ_REQUIRE(cipher_model_new(&model) == SIGNET_OK);
    check_result(kind == CIPHER_COUNT
                     ? crack_unknown(model, text, &options, &result)
                     : crack(model, (enum cipher_kind)kind, text, &options, &result),
        text, &result);
    return 0;
}
