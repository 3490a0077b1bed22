/*
 * The Double Ratchet with header encryption: Signal, "The Double Ratchet Algorithm", revision 1,
 * section 4. Function names below follow its pseudocode.
 */
#include "protocol/ratchet.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "protocol/ratchet_internal.h"

/* KDF_RK_HE: root', chain key and next header key from root and a Diffie-Hellman result. */
struct root_step {
    struct root_key root;
    struct chain_key chain;
    struct header_key next_header;
};

static enum signet_err kdf_root(struct signet_library *library, const struct root_key *root,
    const struct crypto_dh_shared *shared, struct root_step *step)
{
    struct crypto_out out = {step, sizeof(*step)};
    struct crypto_prk prk;
    enum signet_err err;

    _Static_assert(sizeof(*step) == 96, "the three keys lie together");
    err = crypto_hkdf_extract(library, signet_span_of(root->k, sizeof(root->k)),
        signet_span_of(shared->k, sizeof(shared->k)), &prk);
    if (err == SIGNET_OK)
        err = crypto_hkdf_expand(
            library, &prk, signet_span_str("signet ratchet"), signet_span_of(NULL, 0), out);
    crypto_wipe(&prk, sizeof(prk));
    return err;
}

/* KDF_CK; outputs are unchanged after an error. */
static enum signet_err kdf_chain(struct signet_library *library, const struct chain_key *chain,
    struct message_key *message, struct chain_key *next)
{
    static const uint8_t message_constant = 1, chain_constant = 2;
    signet_span key = signet_span_of(chain->k, sizeof(chain->k));
    struct {
        struct message_key message;
        struct chain_key next;
    } fresh;
    enum signet_err err;

    err = crypto_hmac(library, key, signet_span_of(&message_constant, 1), fresh.message.k);
    if (err == SIGNET_OK)
        err = crypto_hmac(library, key, signet_span_of(&chain_constant, 1), fresh.next.k);
    if (err == SIGNET_OK) {
        *message = fresh.message;
        *next = fresh.next;
    }
    crypto_wipe(&fresh, sizeof(fresh));
    return err;
}

static struct ratchet *ratchet_alloc(struct signet_library *library)
{
    struct ratchet *ratchet = crypto_secret_alloc(sizeof(*ratchet));

    if (ratchet != NULL)
        ratchet->library = library;
    return ratchet;
}

void ratchet_free(struct ratchet *ratchet)
{
    if (ratchet == NULL)
        return;
    skipped_free(&ratchet->skipped);
    crypto_secret_free(ratchet, sizeof(*ratchet));
}

/* One root step with our present pair and their present key. */
static enum signet_err root_step(const struct ratchet *r, struct root_step *step)
{
    struct crypto_dh_shared shared;
    enum signet_err err;

    err = crypto_dh_agree(r->library, &r->ours.private_key, &r->theirs, &shared);
    if (err == SIGNET_OK)
        err = kdf_root(r->library, &r->root, &shared, step);
    crypto_wipe(&shared, sizeof(shared));
    return err;
}

/* A fresh pair of ours, and the sending chain that follows from it. */
static enum signet_err start_sending(struct ratchet *r)
{
    struct root_step step;
    enum signet_err err;

    if ((err = crypto_dh_generate(r->library, &r->ours)) != SIGNET_OK)
        return err;
    if ((err = root_step(r, &step)) != SIGNET_OK)
        return err;
    r->root = step.root;
    r->sending = step.chain;
    r->next_send_header = step.next_header;
    r->can_send = true;
    crypto_wipe(&step, sizeof(step));
    return SIGNET_OK;
}

/* RatchetInitAliceHE. */
enum signet_err ratchet_new_initiator(struct signet_library *library,
    const struct handshake_keys *keys, const struct crypto_dh_public *theirs,
    struct ratchet **ratchet_out)
{
    struct ratchet *r = ratchet_alloc(library);
    enum signet_err err;

    if (r == NULL)
        return SIGNET_ERR_NOMEM;
    memcpy(r->root.k, keys->root, sizeof(r->root.k));
    memcpy(r->send_header.k, keys->header_a, sizeof(r->send_header.k));
    memcpy(r->next_receive_header.k, keys->header_b, sizeof(r->next_receive_header.k));
    r->theirs = *theirs;
    if ((err = start_sending(r)) != SIGNET_OK) {
        ratchet_free(r);
        return err;
    }
    *ratchet_out = r;
    return SIGNET_OK;
}

/* RatchetInitBobHE. */
enum signet_err ratchet_new_responder(struct signet_library *library,
    const struct handshake_keys *keys, const struct crypto_dh_pair *ours,
    struct ratchet **ratchet_out)
{
    struct ratchet *r = ratchet_alloc(library);

    if (r == NULL)
        return SIGNET_ERR_NOMEM;
    memcpy(r->root.k, keys->root, sizeof(r->root.k));
    memcpy(r->next_receive_header.k, keys->header_a, sizeof(r->next_receive_header.k));
    memcpy(r->next_send_header.k, keys->header_b, sizeof(r->next_send_header.k));
    r->ours = *ours;
    *ratchet_out = r;
    return SIGNET_OK;
}

enum signet_err ratchet_copy(const struct ratchet *ratchet, struct ratchet **copy_out)
{
    struct ratchet *copy = ratchet_alloc(ratchet->library);
    struct skipped_keys skipped;
    enum signet_err err;

    if (copy == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = skipped_copy(&ratchet->skipped, &skipped)) != SIGNET_OK) {
        ratchet_free(copy);
        return err;
    }
    *copy = *ratchet;
    copy->skipped = skipped;
    crypto_wipe(&skipped, sizeof(skipped));
    *copy_out = copy;
    return SIGNET_OK;
}

uint32_t ratchet_sent_count(const struct ratchet *ratchet)
{
    return ratchet->sent;
}

bool ratchet_expire(struct ratchet *ratchet, uint64_t now_ms)
{
    return skipped_expire(&ratchet->skipped, now_ms);
}

size_t ratchet_skipped_count(const struct ratchet *ratchet)
{
    return ratchet->skipped.count;
}

enum signet_err ratchet_sending(const struct ratchet *r, struct ratchet_sending *sending_out)
{
    struct chain_key next;
    enum signet_err err;

    if (!r->can_send)
        return SIGNET_ERR_STATE;
    /* A receiver accepts no more than this many unseen: beyond, nobody could read it. */
    if (r->sent >= SIGNET_SKIP_MAX)
        return SIGNET_ERR_LIMIT;
    if ((err = kdf_chain(r->library, &r->sending, &sending_out->message_key, &next)) != SIGNET_OK)
        return err;
    crypto_wipe(&next, sizeof(next));
    sending_out->header_key = r->send_header;
    memset(&sending_out->header, 0, sizeof(sending_out->header));
    sending_out->header.ratchet_key = r->ours.public_key;
    sending_out->header.previous_count = r->previous;
    sending_out->header.number = r->sent;
    return SIGNET_OK;
}

enum signet_err ratchet_sent(struct ratchet *r)
{
    struct message_key spent;
    enum signet_err err = kdf_chain(r->library, &r->sending, &spent, &r->sending);

    crypto_wipe(&spent, sizeof(spent));
    if (err == SIGNET_OK)
        r->sent++;
    return err;
}

/* One more header key's tag in the list. */
static enum signet_err add_tag(
    const struct ratchet *r, const struct header_key *key, struct signet_tag *tags, size_t *count)
{
    enum signet_err err = header_key_tag(r->library, key, &tags[*count]);

    if (err == SIGNET_OK)
        (*count)++;
    return err;
}

enum signet_err ratchet_tags(
    const struct ratchet *r, struct signet_tag tags[SIGNET_SESSION_TAGS_MAX], size_t *count_out)
{
    size_t count = 0;
    enum signet_err err = add_tag(r, &r->next_receive_header, tags, &count);

    if (err == SIGNET_OK && r->can_receive)
        err = add_tag(r, &r->receive_header, tags, &count);
    for (size_t i = 0; err == SIGNET_OK && i < SIGNET_CHAINS_MAX; i++) {
        bool is_current =
            r->can_receive && header_key_equal(&r->skipped.chains[i], &r->receive_header);

        if (r->skipped.chain_used[i] && !is_current)
            err = add_tag(r, &r->skipped.chains[i], tags, &count);
    }
    *count_out = count;
    return err;
}

/* Whether the envelope was sealed in the chain of that header key. */
static enum signet_err is_in_chain(const struct ratchet *r, const struct header_key *key,
    const struct envelope *envelope, bool *yes)
{
    struct signet_tag tag;
    enum signet_err err = header_key_tag(r->library, key, &tag);

    *yes =
        err == SIGNET_OK && signet_span_equal(signet_span_of(tag.b, sizeof(tag.b)), envelope->tag);
    return err;
}

/* SkipMessageKeysHE: keys up to, not including, `until` in the receiving chain. */
static enum signet_err skip_until(struct ratchet *r, uint32_t until, uint64_t now_ms)
{
    enum signet_err err = SIGNET_OK;

    while (err == SIGNET_OK && r->received < until) {
        struct skipped_key key = {.stored_at = now_ms, .number = r->received};

        err = kdf_chain(r->library, &r->receiving, &key.key, &r->receiving);
        if (err == SIGNET_OK)
            err = skipped_add(&r->skipped, &r->receive_header, &key);
        crypto_wipe(&key, sizeof(key));
        if (err == SIGNET_OK)
            r->received++;
    }
    return err;
}

/* DHRatchetHE. */
static enum signet_err dh_ratchet(struct ratchet *r, const struct crypto_dh_public *theirs)
{
    struct root_step step;
    enum signet_err err;

    r->previous = r->sent;
    r->sent = 0;
    r->received = 0;
    r->send_header = r->next_send_header;
    r->receive_header = r->next_receive_header;
    r->theirs = *theirs;
    if ((err = root_step(r, &step)) != SIGNET_OK)
        return err;
    r->root = step.root;
    r->receiving = step.chain;
    r->next_receive_header = step.next_header;
    r->can_receive = true;
    crypto_wipe(&step, sizeof(step));
    return start_sending(r);
}

/* The message is the next one of the receiving chain, or lies ahead in it. */
static enum signet_err receive_in_chain(
    struct ratchet *r, uint64_t now_ms, struct ratchet_received *received)
{
    enum signet_err err;

    if (received->header.number < r->received)
        return SIGNET_ERR_REPLAY;
    if ((err = skip_until(r, received->header.number, now_ms)) != SIGNET_OK)
        return err;
    err = kdf_chain(r->library, &r->receiving, &received->message_key, &r->receiving);
    if (err == SIGNET_OK)
        r->received++;
    return err;
}

/* The message begins a new chain of theirs. */
static enum signet_err receive_new_chain(
    struct ratchet *r, uint64_t now_ms, struct ratchet_received *received)
{
    const struct message_header *header = &received->header;
    uint64_t skipped = header->number;
    enum signet_err err;

    if (r->can_receive && header->previous_count > r->received)
        skipped += header->previous_count - r->received;
    /* Refuse the gap before deriving: a forged counter must not buy work. */
    if (skipped > SIGNET_SKIP_MAX)
        return SIGNET_ERR_LIMIT;
    if (r->can_receive && (err = skip_until(r, header->previous_count, now_ms)) != SIGNET_OK)
        return err;
    if ((err = dh_ratchet(r, &header->ratchet_key)) != SIGNET_OK)
        return err;
    return receive_in_chain(r, now_ms, received);
}

/* TrySkippedMessageKeysHE. *found says whether the key was there. */
static enum signet_err try_skipped(struct ratchet *r, const struct envelope *envelope,
    struct ratchet_received *received, bool *found)
{
    *found = false;
    for (size_t i = 0; i < SIGNET_CHAINS_MAX; i++) {
        bool is_this = false;
        enum signet_err err;

        if (!r->skipped.chain_used[i])
            continue;
        err = is_in_chain(r, &r->skipped.chains[i], envelope, &is_this);
        if (err != SIGNET_OK)
            return err;
        if (!is_this)
            continue;
        err = header_open(r->library, &r->skipped.chains[i], envelope, &received->header);
        if (err != SIGNET_OK)
            return err;
        *found = skipped_take(&r->skipped, i, received->header.number, &received->message_key);
        if (*found)
            return SIGNET_OK;
        /* In the present chain it may be one that is still ahead. */
        if (r->can_receive && header_key_equal(&r->skipped.chains[i], &r->receive_header))
            return SIGNET_OK;
        return SIGNET_ERR_REPLAY;
    }
    return SIGNET_OK;
}

enum signet_err ratchet_receive(struct ratchet *r, const struct envelope *envelope, uint64_t now_ms,
    struct ratchet_received *received)
{
    bool yes = false;
    enum signet_err err;

    (void)skipped_expire(&r->skipped, now_ms);
    if ((err = try_skipped(r, envelope, received, &yes)) != SIGNET_OK || yes)
        return err;
    if (r->can_receive) {
        if ((err = is_in_chain(r, &r->receive_header, envelope, &yes)) != SIGNET_OK)
            return err;
        if (yes) {
            err = header_open(r->library, &r->receive_header, envelope, &received->header);
            if (err != SIGNET_OK)
                return err;
            if (received->header.number > r->received &&
                received->header.number - r->received > SIGNET_SKIP_MAX)
                return SIGNET_ERR_LIMIT;
            return receive_in_chain(r, now_ms, received);
        }
    }
    if ((err = is_in_chain(r, &r->next_receive_header, envelope, &yes)) != SIGNET_OK)
        return err;
    if (!yes)
        return SIGNET_ERR_UNKNOWN;
    err = header_open(r->library, &r->next_receive_header, envelope, &received->header);
    if (err != SIGNET_OK)
        return err;
    return receive_new_chain(r, now_ms, received);
}
