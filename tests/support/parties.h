/*
 * alice, bob, carol and mallory, with keys from the pool and randomness from a seed, and a session
 * between two of them. What goes wrong in here ends the process: it is no test's subject.
 */
#ifndef TESTS_PARTIES_H
#define TESTS_PARTIES_H

#include <signet/signet.h>

#include "crypto/rsa.h"
#include "tests/support/seeded_library.h"

enum party_name { ALICE, BOB, CAROL, MALLORY };

/* The time at which everything in here is made; ms. */
#define PARTY_NOW UINT64_C(1800000000000)

/* Whose key of the pool; 2048 bits, because they sign faster. */
enum party_key { PARTY_IDENTITY, PARTY_DEVICE, PARTY_OAEP, PARTY_NEXT_IDENTITY, PARTY_KEYS };
/* The caller frees it. */
struct crypto_rsa_private *party_key(
    struct signet_library *library, enum party_name name, enum party_key which);

struct party {
    struct signet_library *library;
    enum party_name name;
    struct signet_account *account;
    struct signet_bundle_secrets *secrets; /* as all below: NULL or empty until published */
    struct signet_bundle *bundle;
    struct signet_buf bundle_bytes;
    struct signet_buf one_time_keys;
};

struct party party_new(struct signet_library *library, enum party_name name);
void party_free(struct party *party);
const struct signet_card *party_card(const struct party *party);

/* Make and read a bundle of that version in place of the present one. */
void party_publish(struct party *party, uint64_t version);
/* The one-time prekey with that index as the relay would hand it out. */
struct signet_one_time party_one_time(const struct party *party, uint32_t index);
/* A session with `to`, whose bundle is published; `one_time` may be NULL. */
struct signet_session *party_initiate(
    const struct party *from, const struct party *to, const struct signet_one_time *one_time);
/* What `to` makes of an envelope with init data; NULL at *session_out on error. */
enum signet_err party_accept(
    const struct party *to, signet_span envelope, struct signet_session **session_out);

/* A text from one to the other as its first entry: content to be sealed. */
struct signet_buf party_sign(const struct party *from, const struct party *to, const char *text);
/* The channel by which `to` receives from `from`. */
struct signet_channel party_channel(const struct party *to, const struct party *from);

/* ---- a session ---- */

struct pair {
    struct seeded_library seeded;
    struct signet_library *library; /* the seeded one */
    struct party party[2];          /* ALICE, BOB; bob has published */
    struct signet_session *session[2];
    struct signet_buf *sealed; /* every envelope sealed in it */
    size_t sealed_count;
};

/* alice has started a session with bob's one-time prekey 7; nothing was sent. */
struct pair pair_new(uint64_t seed);
/* The same, after one message of alice and one of bob. */
struct pair pair_established(uint64_t seed);
void pair_free(struct pair *pair);

/* Seal in that one's session; borrowed from the pair, also after later calls. */
signet_span pair_seal(struct pair *pair, enum party_name from, const char *content);
/* Open in that one's session, which bob's accepts first where there is none; content is appended. */
enum signet_err pair_open(
    struct pair *pair, enum party_name to, signet_span envelope, struct signet_buf *content);
/* Whether it opens, with that content. */
bool pair_opens(struct pair *pair, enum party_name to, signet_span envelope, const char *content);
/* Why it does not open; OK where it does. */
enum signet_err pair_refusal(struct pair *pair, enum party_name to, signet_span envelope);
/* The encoded state of that one's session; the caller frees it. */
struct signet_buf pair_state(const struct pair *pair, enum party_name who);
/* Replace that one's session by what its encoded form gives. */
void pair_reload(struct pair *pair, enum party_name who);

#define CHECK_OPENS(pair, to, envelope, content)                                                   \
    CHECK(pair_opens((pair), (to), (envelope), (content)))

#endif
