/*
 * A session between two devices: set-up (docs/protocol.md, section 5), envelope and ratchet (6).
 *
 * A session is changed by sealing and opening. Store its new state in the same transaction as what
 * came of it, before any byte leaves; to try something that may have to be undone, work on a
 * copy. What a session opens is authentic as coming from the peer's device; the signed entry
 * inside is verified by signet_entry_open, and only then the opened state should be kept.
 */
#ifndef SIGNET_SESSION_H
#define SIGNET_SESSION_H

#include <signet/account.h>
#include <signet/bundle.h>

SIGNET_C_BEGIN

enum {
    SIGNET_SUITE_1 = 1,
    SIGNET_ENVELOPE_MAX = 98304, /* bytes */
    SIGNET_TAG_LEN = 8,
    SIGNET_SKIP_MAX = 1000,          /* skipped by one message */
    SIGNET_SKIPPED_KEYS_MAX = 2000,  /* kept in a session */
    SIGNET_CHAINS_MAX = 5,           /* chains with skipped keys */
    SIGNET_CHAIN_MESSAGES_MAX = 900, /* sent in one chain before a new session is due */
    SIGNET_SESSIONS_MAX = 5,         /* live ones per pair of devices */
};

struct signet_session;

/* An envelope's lookup tag: which sending chain it belongs to. */
struct signet_tag {
    uint8_t b[SIGNET_TAG_LEN];
};

/* The public outside of an envelope; spans borrow from it. */
struct signet_envelope_view {
    struct signet_tag tag;
    bool has_init;
    struct signet_id transcript; /* T1; with init only */
    struct signet_id bundle;     /* with init only */
    bool has_one_time;           /* with init only */
    uint32_t one_time;           /* its index */
};

/* Read an envelope's outside. Errors: FORMAT, LIMIT, SUITE, NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_envelope_view(
    struct signet_library *library, signet_span envelope, struct signet_envelope_view *view_out);

/* Whom to start a session with. The card and bundle must be checked for time by the caller. */
struct signet_session_peer {
    const struct signet_card *card;
    const struct signet_bundle *bundle;
    const struct signet_one_time *one_time; /* NULL: the relay had none */
};

/* Start a session as initiator. Errors: KEY (a low-order point), AUTH (the one-time prekey is not
 * the bundle's), CHANNEL (bundle of another account), NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_initiate(struct signet_library *library,
    const struct signet_account *account, const struct signet_session_peer *peer, uint64_t now_ms,
    struct signet_session **session_out);

/*
 * Start a session as responder, from the init data of an envelope whose view named these secrets.
 * The message itself is opened by signet_session_open afterwards. The peer's card is verified in
 * itself; compare it with the one known (signet_card_follows) before keeping anything.
 * Errors: FORMAT, LIMIT, SUITE, UNKNOWN (no init data, not this bundle, or the one-time key is
 * gone), KEY (a low-order point, or in the card), AUTH, SIGNER, CHANNEL (made for another device),
 * PROFILE, PURPOSE and SUCCESSION (of what is signed inside), NOMEM, CRYPTO.
 */
struct signet_session_own {
    const struct signet_account *account;
    const struct signet_bundle_secrets *secrets;
};
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_accept(struct signet_library *library,
    const struct signet_session_own *own, signet_span envelope, uint64_t now_ms,
    struct signet_session **session_out);

/* A copy that goes its own way. Errors: NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_copy(
    const struct signet_session *session, struct signet_session **copy_out);
/* NULL is fine; wipes. */
SIGNET_API void signet_session_free(struct signet_session *session);
/* Append the secret form. Errors: NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_encode(
    const struct signet_session *session, struct signet_buf *out);
/* Errors: FORMAT, LIMIT, NOMEM. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_decode(
    struct signet_library *library, signet_span encoded, struct signet_session **session_out);

/* T1: the session's name. */
SIGNET_API const struct signet_id *signet_session_transcript(const struct signet_session *session);
SIGNET_API const struct signet_id *signet_session_peer_address(
    const struct signet_session *session);
SIGNET_API const struct signet_id *signet_session_peer_device(const struct signet_session *session);
/* The peer's device list at set-up. */
SIGNET_API const struct signet_id *signet_session_peer_list(const struct signet_session *session);
/* The card that came with the init block; NULL with the initiator and after decoding. */
SIGNET_API const struct signet_card *signet_session_peer_card(const struct signet_session *session);
SIGNET_API bool signet_session_is_initiator(const struct signet_session *session);
/* Whether a message of the peer has been opened in it. */
SIGNET_API bool signet_session_is_answered(const struct signet_session *session);
/* Ms; when last opened a message (0: never), and when made. */
SIGNET_API uint64_t signet_session_received_at(const struct signet_session *session);
SIGNET_API uint64_t signet_session_created_at(const struct signet_session *session);
/* Whether the next message should start a new session: 900 in a chain, or 24 h unanswered. */
SIGNET_API bool signet_session_is_worn(const struct signet_session *session, uint64_t now_ms);

/* Forget the keys of messages that have not come for 30 days. Opening does that too: this is for
 * sessions in which nothing comes. Whether something was forgotten: store the session then. */
SIGNET_API bool signet_session_expire(struct signet_session *session, uint64_t now_ms);

/* The tags under which messages to this session may now arrive. Errors: NOMEM, CRYPTO. */
enum { SIGNET_SESSION_TAGS_MAX = SIGNET_CHAINS_MAX + 2 };
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_tags(const struct signet_session *session,
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX], size_t *count_out);

/*
 * Seal content into an envelope, appended to envelope_out, and advance the sending chain.
 * Errors: LIMIT (the envelope would be over SIGNET_ENVELOPE_MAX, or the chain is full), STATE (a
 * responder that has not opened a message), NOMEM, CRYPTO; session and output are as before then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_seal(
    struct signet_session *session, signet_span content, struct signet_buf *envelope_out);

/*
 * Open an envelope, append its content, and advance the receiving chain. Source: the Double
 * Ratchet, revision 1, section 4.
 * Errors: FORMAT, LIMIT (over SIGNET_SKIP_MAX ahead), SUITE, REPLAY, UNKNOWN (the tag is not this
 * session's), AUTH, KEY (a low-order ratchet key), NOMEM, CRYPTO; unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_session_open(struct signet_session *session,
    signet_span envelope, uint64_t now_ms, struct signet_buf *content_out);

SIGNET_C_END

#endif
