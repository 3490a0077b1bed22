/*
 * Cryptanalysis that is stopped at each word about its progress in turn. Nothing is asked here: the
 * sanitizer it is run under (uninitialised.sh) sees what is read before it is written.
 */
#include <string.h>

#include "ciphers/crack.h"

enum { STOPS = 5 };

static bool stop_later(void *ctx, enum cipher_kind kind, const struct crack_result *so_far)
{
    (void)kind;
    (void)so_far;
    return (*(unsigned *)ctx)-- > 0;
}

int main(void)
{
    static const char text[] =
        "VREARNVDAREDNTSDTSHNEHHOIEVLRNROAARCSOEESAOLRIONASCEENDFKTWDEHHCSEEUHSNELGAEFGGERE"
        "HLALOSOYNTTERLMUAENMOTOASROANTOPWTPFNHETDEEITYIDESYRRSSHTSUWEDOOESCWELUEWRETBOWROB";
    struct cipher_model *model = NULL;

    if (cipher_model_new(&model) != SIGNET_OK)
        return 1;
    for (unsigned kind = 0; kind <= CIPHER_COUNT; kind++) {
        for (unsigned stop = 0; stop < STOPS; stop++) {
            unsigned left = stop;
            struct crack_options options = {.seed = 1, .on_progress = stop_later, .ctx = &left};
            struct crack_result result;
            enum signet_err err =
                kind == CIPHER_COUNT
                    ? crack_unknown(model, signet_span_str(text), &options, &result)
                    : crack(
                          model, (enum cipher_kind)kind, signet_span_str(text), &options, &result);

            if (err != SIGNET_OK || result.count == 0)
                return 1;
        }
    }
    cipher_model_free(model);
    return 0;
}
