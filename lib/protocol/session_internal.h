/* A session's state: shared by session.c (set-up) and session_message.c (sealing, opening). */
#ifndef PROTOCOL_SESSION_INTERNAL_H
#define PROTOCOL_SESSION_INTERNAL_H

#include <signet/session.h>

#include "protocol/ratchet.h"

/* In secret memory. */
struct signet_session {
    struct signet_library *library;
    bool is_initiator;
    struct signet_id transcript; /* T1 */
    struct signet_id peer_address, peer_device, peer_list;
    struct signet_card *peer_card; /* responder, until decoded */
    uint64_t created_at;           /* ms */
    uint64_t received_at;          /* ms; 0: no message of the peer was opened yet */
    struct signet_buf init;        /* initiator, until answered: encoded init data */
    struct ratchet *ratchet;
};

#endif
