/*
 * A text becomes a signed entry and sealed envelopes: docs/protocol.md, sections 6 and 7.
 *
 * The signature is a request of its own: seal_prepare says what is to be signed, signing_run signs
 * it, seal_signed goes on with the answer. signing_run reads only the request, the library and the
 * account, so that it may run in a thread of its own; today the answer comes at once.
 */
#ifndef ENGINE_OUTBOX_SEAL_H
#define ENGINE_OUTBOX_SEAL_H

#include <signet/entry.h>

#include "engine/conversations.h"
#include "engine/history/chain.h"
#include "engine/outbox/queue.h"

/* How a text reaches a recipient: the session that was picked for it. */
struct route {
    struct recipient to;
    struct signet_id transcript; /* of the session */
    bool wants_card;             /* the session alone does not show our present card */
};

/* A conversation, with a session for each recipient. */
struct routes {
    struct signet_id conversation;
    size_t count;
    struct route all[RECIPIENTS_MAX];
};

/* SIGN: what is to be signed for a text, and the answer. */
struct signing {
    struct signet_library *library; /* borrowed, as is the account */
    const struct signet_account *account;
    struct outgoing *text; /* borrowed from the queue, where it stays until it is sealed */
    struct signet_id peer; /* the contact's address */
    struct routes routes;
    struct chain chain; /* our own entries in the conversation */
    struct signet_id parents[SIGNET_PARENTS_MAX];
    struct signet_entry_draft draft; /* borrows from the text, and from `parents` */
    /* The answer. */
    struct signet_id entry;    /* its id */
    struct signet_buf content; /* signed, to be sealed */
};

/*
 * What is to be signed for a text to a contact; its sessions are there.
 * *signing_out: to be freed with signing_free; NULL: the draft is damaged, which is told, and the
 * text is passed over. Errors: machine errors.
 */
SIGNET_MUST_USE enum signet_err seal_prepare(struct txn *t, const struct contact *contact,
    struct outgoing *text, const struct routes *routes, struct signing **signing_out);
/* Sign. Errors: NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err signing_run(struct signing *signing);
/* Seal what was signed for all recipients, and record it. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err seal_signed(struct txn *t, struct signing *signing);
/* NULL is fine. */
void signing_free(struct signing *signing);

#endif
