/* Signed objects as somebody with some keys can make them. */
#include "tests/support/forge.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "protocol/card_internal.h"
#include "protocol/entry_internal.h"
#include "tests/support/spki.h"

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

struct forged_list forge_list_of(const struct signet_card *card)
{
    const struct device_list *list = card_list(card);
    struct forged_list forged = {
        .signer = list->signer,
        .address = list->address,
        .generation = list->generation,
        .version = list->version,
        .has_previous = list->has_previous,
        .previous = list->previous,
        .issued_at = list->issued_at,
        .not_after = list->not_after,
        .next_identity = list->next_identity,
        .device_count = list->device_count,
    };

    for (size_t i = 0; i < list->device_count; i++)
        forged.devices[i] = (struct forged_device){
            list->devices[i].id, list->devices[i].key, list->devices[i].since};
    return forged;
}

struct forged_list forge_list(const struct party *party)
{
    return forge_list_of(party_card(party));
}

struct signet_buf forge_list_payload(const struct forged_list *forged)
{
    struct device_list list = {
        .signer = forged->signer,
        .address = forged->address,
        .generation = forged->generation,
        .version = forged->version,
        .has_previous = forged->has_previous,
        .previous = forged->previous,
        .issued_at = forged->issued_at,
        .not_after = forged->not_after,
        .next_identity = forged->next_identity,
        .device_count = forged->device_count,
    };
    struct signet_buf payload = {0};

    for (size_t i = 0; i < forged->device_count; i++)
        list.devices[i] = (struct device){
            forged->devices[i].id, forged->devices[i].key, forged->devices[i].since};
    must(device_list_write(&list, &payload));
    return payload;
}

enum signet_err forge_list_again(
    struct signet_library *library, signet_span payload, struct signet_buf *out)
{
    struct device_list list;
    enum signet_err err = device_list_read(library, payload, &list);

    if (err != SIGNET_OK)
        return err;
    must(device_list_write(&list, out));
    device_list_clear(&list);
    return SIGNET_OK;
}

struct signet_buf forge_card_bytes(const struct forged_link *links, size_t count)
{
    struct signet_buf card = {0};
    struct wire_writer w = wire_writer(&card);

    wire_put_array(&w, count);
    for (size_t i = 0; i < count; i++) {
        const struct forged_link *link = &links[i];
        struct signet_buf payload = forge_list_payload(link->list), cose;

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

struct crypto_rsa_public *forge_key(struct signet_library *library)
{
    uint8_t modulus[385];
    struct spki_parts parts = {.algorithm = spki_rsa_encryption(),
        .modulus = signet_span_of(modulus, sizeof(modulus)),
        .exponent = signet_span_of("\x01\x00\x01", 3)};
    struct crypto_rsa_public *key = NULL;
    struct signet_buf spki;

    memset(modulus, 0xd1, sizeof(modulus)); /* divisible by 209 */
    modulus[0] = 0;
    spki = spki_build(&parts);
    must(crypto_rsa_public_read_known(library, signet_buf_span(&spki), &key));
    signet_buf_free(&spki);
    return key;
}

struct signet_id forge_list_id(struct signet_library *library, const struct forged_list *list)
{
    struct signet_buf payload = forge_list_payload(list);
    struct signet_id id;

    must(crypto_sha256_one(library, signet_buf_span(&payload), &id));
    signet_buf_free(&payload);
    return id;
}

struct forged_entry forge_entry(const struct party *from, const struct party *to, const char *text)
{
    struct forged_entry entry = {
        .to_count = 1,
        .to = {*signet_account_address(to->account)},
        .to_list = {*signet_card_list(party_card(to))},
        .device = *signet_account_device(from->account),
        .address = *signet_account_address(from->account),
        .list = *signet_card_list(party_card(from)),
        .sequence = 1,
        .sent_at = PARTY_NOW,
        .kind = SIGNET_KIND_TEXT,
        .signed_body = signet_span_str(text),
        .body = signet_span_str(text),
        .salt = {42},
    };

    must(
        signet_conversation_pair(from->library, &entry.address, &entry.to[0], &entry.conversation));
    return entry;
}

struct signet_buf forge_entry_bytes(
    struct signet_library *library, const struct forged_entry *entry)
{
    struct signet_buf bytes = {0};
    struct wire_writer w = wire_writer(&bytes);
    struct signet_id content;

    must(entry_content_hash(library, entry->salt, entry->signed_body, &content));
    wire_put_array(&w, ENTRY_FIELDS);
    wire_put_id(&w, &entry->conversation);
    wire_put_array(&w, entry->to_count);
    for (size_t i = 0; i < entry->to_count; i++) {
        wire_put_array(&w, 2);
        wire_put_id(&w, &entry->to[i]);
        wire_put_id(&w, &entry->to_list[i]);
    }
    wire_put_id(&w, &entry->device);
    wire_put_id(&w, &entry->address);
    wire_put_id(&w, &entry->list);
    wire_put_uint(&w, entry->sequence);
    if (entry->has_previous)
        wire_put_id(&w, &entry->previous);
    else
        wire_put_null(&w);
    wire_put_array(&w, entry->parent_count);
    for (size_t i = 0; i < entry->parent_count; i++)
        wire_put_id(&w, &entry->parents[i]);
    wire_put_uint(&w, entry->sent_at);
    wire_put_uint(&w, entry->kind);
    wire_put_id(&w, &content);
    must(wire_writer_finish(&w));
    return bytes;
}

struct signet_buf forge_content_with(signet_span cose, signet_span salt, signet_span body)
{
    struct signet_buf content = {0};
    struct wire_writer w = wire_writer(&content);

    wire_put_array(&w, CONTENT_FIELDS);
    wire_put_bytes(&w, cose);
    wire_put_null(&w);
    wire_put_bytes(&w, salt);
    wire_put_bytes(&w, body);
    wire_put_null(&w);
    must(wire_writer_finish(&w));
    return content;
}

struct signet_buf forge_content(struct signet_library *library, const struct forged_entry *entry,
    const struct crypto_rsa_private *key, const char *typ)
{
    struct signet_buf payload = forge_entry_bytes(library, entry);
    struct signet_buf cose = forge_signed(key, typ, signet_buf_span(&payload));
    struct signet_buf content = forge_content_with(
        signet_buf_span(&cose), signet_span_of(entry->salt, sizeof(entry->salt)), entry->body);

    signet_buf_free(&payload);
    signet_buf_free(&cose);
    return content;
}

struct signet_buf forge_content_beside(struct signet_library *library,
    const struct signet_account *from, const struct signet_card *to, signet_span card,
    uint64_t sent_at)
{
    struct signet_entry_draft draft = {
        .to = *signet_card_address(to),
        .to_list = *signet_card_list(to),
        .sequence = 1,
        .sent_at = sent_at,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str("forged"),
    };
    struct signet_buf plain = {0}, content = {0};
    struct signet_content parts;
    struct signet_id entry;
    struct wire_writer w = wire_writer(&content);

    must(signet_entry_sign(library, from, &draft, &plain, &entry));
    must(signet_content_read(signet_buf_span(&plain), &parts));
    wire_put_array(&w, 5);
    wire_put_bytes(&w, parts.signed_bytes);
    wire_put_null(&w);
    wire_put_bytes(&w, parts.salt);
    wire_put_bytes(&w, parts.body);
    wire_put_bytes(&w, card);
    must(wire_writer_finish(&w));
    signet_buf_free(&plain);
    return content;
}
