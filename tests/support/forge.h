/*
 * Signed objects as somebody with some keys can make them: valid ones to be changed, and whatever
 * comes of that. Ends the process when out of memory.
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "protocol/signed.h"
#include "tests/support/forge_account.h"
#include "tests/support/parties.h"
#include "wire/cbor.h"

/* A COSE_Sign1 over the payload; the caller frees it, as all that is returned here. */
struct signet_buf forge_signed(
    const struct crypto_rsa_private *key, const char *typ, signet_span payload);

/* ---- cards ---- */

struct forged_device {
    struct signet_id id; /* fingerprint of the key */
    struct crypto_rsa_public *key;
    uint64_t since;
};

/* A device list's fields, its keys borrowed: docs/protocol.md, section 3. */
struct forged_list {
    struct signet_id signer, address;
    uint64_t generation, version;
    bool has_previous;
    struct signet_id previous;
    uint64_t issued_at, not_after; /* ms */
    struct signet_id next_identity;
    size_t device_count;
    struct forged_device devices[SIGNET_CARD_DEVICES_MAX];
};
/* Those of a card's current list, or a party's: to be changed. */
struct forged_list forge_list_of(const struct signet_card *card);
struct forged_list forge_list(const struct party *party);
/* The payload that is signed. */
struct signet_buf forge_list_payload(const struct forged_list *list);
/* Read a payload, and append what is written of what was read. Errors: as device_list_read. */
enum signet_err forge_list_again(
    struct signet_library *library, signet_span payload, struct signet_buf *out);

/* One generation of a card: that key's SubjectPublicKeyInfo, with that list signed by `signer`. */
struct forged_link {
    const struct crypto_rsa_private *identity;
    const struct forged_list *list;
    const struct crypto_rsa_private *signer; /* NULL: the identity */
    const char *typ;                         /* NULL: that of device lists */
};
struct signet_buf forge_card_bytes(const struct forged_link *links, size_t count);
/* Those bytes read. Errors: as signet_card_read. */
enum signet_err forge_card(struct signet_library *library, const struct forged_link *links,
    size_t count, struct signet_card **card_out);

/* ---- entries ---- */

enum { FORGED_TO_MAX = 65 };

/* The fields of an entry, and what travels beside it. */
struct forged_entry {
    struct signet_id conversation;
    size_t to_count;
    struct signet_id to[FORGED_TO_MAX], to_list[FORGED_TO_MAX];
    struct signet_id device, address, list;
    uint64_t sequence;
    bool has_previous;
    struct signet_id previous;
    size_t parent_count;
    struct signet_id parents[SIGNET_PARENTS_MAX + 1];
    uint64_t sent_at, kind;
    signet_span signed_body; /* what its hash is signed of */
    signet_span body;        /* what is sent */
    uint8_t salt[32];
};
/* A valid first entry from one to the other, to be changed; `text` is borrowed. */
struct forged_entry forge_entry(const struct party *from, const struct party *to, const char *text);
/* The payload that is signed. */
struct signet_buf forge_entry_bytes(
    struct signet_library *library, const struct forged_entry *entry);
/* Content with that entry, signed by the key for the purpose. */
struct signet_buf forge_content(struct signet_library *library, const struct forged_entry *entry,
    const struct crypto_rsa_private *key, const char *typ);
/* Content with these parts. */
struct signet_buf forge_content_with(signet_span cose, signet_span salt, signet_span body);

/* What an account could say to that of a card in its first message, with some card beside it. */
struct signet_buf forge_content_beside(struct signet_library *library,
    const struct signet_account *from, const struct signet_card *to, signet_span card,
    uint64_t sent_at);

/* What is a key of 3072 bits by its form only: its modulus has a small factor. */
struct crypto_rsa_public *forge_key(struct signet_library *library);

/* The id that a list has: of the list before it. */
struct signet_id forge_list_id(struct signet_library *library, const struct forged_list *list);

#endif
