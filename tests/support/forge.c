/* Signed objects as somebody with some keys can make them. */
#include "tests/support/forge.h"

#include <stdlib.h>

#include "crypto/hash.h"

static void must(enum signet_err err)
{
    if (err != SIGNET_OK)
        abort();
}

struct signet_buf forge_signed(
    const struct crypto_rsa_private *key, const char *typ, signet_span payload)
{
    struct signet_buf cose = {0};

    must(signed_make(key, typ, payload, &cose));
    return cose;
}

struct device_list forge_list(const struct party *party)
{
    return *card_list(party_card(party));
}

struct signet_buf forge_card_bytes(const struct forged_link *links, size_t count)
{
    struct signet_buf card = {0};
    struct wire_writer w = wire_writer(&card);

    wire_put_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        const struct forged_link *link = &links[i];
        struct signet_buf payload = {0}, cose;

        must(device_list_write(link->list, &payload));
        cose = forge_signed(link->signer != NULL ? link->signer : link->identity,
            link->typ != NULL ? link->typ : TYP_DEVICE_LIST, signet_buf_span(&payload));
        wire_put_array(&w, 2);
        wire_put_bytes(&w, crypto_rsa_public_spki(crypto_rsa_private_public(link->identity)));
        wire_put_bytes(&w, signet_buf_span(&cose));
        signet_buf_free(&payload);
        signet_buf_free(&cose);
    }
    must(wire_writer_finish(&w));
    return card;
}

enum signet_err forge_card(struct signet_library *library, const struct forged_link *links,
    size_t count, struct signet_card **card_out)
{
    struct signet_buf bytes = forge_card_bytes(links, count);
    enum signet_err err = signet_card_read(library, signet_buf_span(&bytes), card_out);

    signet_buf_free(&bytes);
    return err;
}

struct signet_id forge_list_id(struct signet_library *library, const struct device_list *list)
{
    struct signet_buf payload = {0};
    struct signet_id id;

    must(device_list_write(list, &payload));
    must(crypto_sha256_one(library, signet_buf_span(&payload), &id));
    signet_buf_free(&payload);
    return id;
}
