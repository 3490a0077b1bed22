/*
 * Two ratchets that talk to one another without RSA, sessions or bodies. A message is an envelope
 * whose body says nothing; its header's commitment is the message key itself, so that the receiver's
 * key can be compared with the sender's.
 */
#ifndef TESTS_SIDES_H
#define TESTS_SIDES_H

#include "protocol/ratchet.h"
#include "tests/support/seeded_library.h"

enum side { A, B };                          /* A is the initiator */
#define SIDES_NOW    UINT64_C(1800000000000) /* ms */
#define SIDES_DAY_MS (UINT64_C(24) * 3600 * 1000)

struct sides {
    struct seeded_library seeded;
    struct ratchet *ratchet[2];
};

struct sides sides_new(uint64_t seed);
void sides_free(struct sides *s);

/* A message with the header changed to that PN and N: what a peer with the keys could send. The
 * caller frees it, as the next one. */
struct signet_buf sides_seal_as(
    struct sides *s, const struct ratchet_sending *sending, uint32_t previous, uint32_t number);
/* The next message of that side. */
struct signet_buf sides_send(struct sides *s, enum side side);
/* Receive as a session does: on a copy, kept where all held. After an error the ratchet is as
 * before; that, and that the key is the sender's, is checked here. */
enum signet_err sides_receive_at(
    struct sides *s, enum side side, const struct signet_buf *message, uint64_t now_ms);
enum signet_err sides_receive(struct sides *s, enum side side, const struct signet_buf *message);
/* Send the next message of that side, and receive it. */
void sides_deliver(struct sides *s, enum side from);
/* Send that many which never arrive. */
void sides_lose(struct sides *s, enum side from, unsigned count);

#endif
