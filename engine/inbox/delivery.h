/* One envelope on its way: unseal.c opens its seal, open.c judges it, keep.c keeps or refuses it. */
#ifndef ENGINE_INBOX_DELIVERY_H
#define ENGINE_INBOX_DELIVERY_H

#include <signet/entry.h>
#include <signet/session.h>

#include "engine/contacts.h"
#include "engine/history/verdict.h"

/* What opening one envelope works with. */
struct delivery {
    signet_span envelope;
    struct signet_id hash; /* of the envelope */
    struct signet_envelope_view view;
    struct signet_session *session; /* a copy, or a new one */
    bool is_new_session;
    uint64_t bundle_version; /* new session: of the own bundle used */
    struct signet_buf content;
    struct contact_slot *slot; /* NULL: the sender is not known yet */
    bool is_sender_lost;       /* there is a session, but no contact: our own loss */
    struct signet_card *card;  /* the newest of the sender that holds; a share */
    size_t list_count;         /* ids of the sender's lists that are good for this entry */
    struct signet_id lists[CONTACT_LISTS_MAX + 3];
    struct signet_entry entry;
    enum verdict verdict;
    uint64_t missing;
};

/*
 * Find or accept the session, and open the envelope: docs/protocol.md, section 8, steps 2 to 4.
 * Nothing is kept. Errors: verdicts, and machine errors.
 */
SIGNET_MUST_USE enum signet_err unseal_open(struct txn *t, struct delivery *d);
/* The one-time prekey that began the session is wiped in the transaction that stores it. */
SIGNET_MUST_USE enum signet_err unseal_forget_one_time(struct txn *t, struct delivery *d);
/*
 * All of section 8 up to the point from which it is kept: its seal, its sender, its signature, its
 * place in the conversation. Of these only the place is changed. Errors: verdicts, machine errors.
 */
SIGNET_MUST_USE enum signet_err delivery_open(struct txn *t, struct delivery *d);
/* Keep what was opened: the sender's card, the session, the line of the history, and the event. */
SIGNET_MUST_USE enum signet_err delivery_keep(struct txn *t, struct delivery *d);
/* A line of the history that says what was refused, and why; nothing of what it said. */
SIGNET_MUST_USE enum signet_err delivery_refuse(
    struct txn *t, struct delivery *d, enum signet_err cause);

#endif
