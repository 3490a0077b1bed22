/*
 * Entries: the signed statements that people exchange (docs/protocol.md, section 7).
 *
 * An entry says who wrote what to whom, after which other entries; anyone who holds the author's
 * card can verify it. It travels with its body inside an envelope's seal as `content`.
 */
#ifndef SIGNET_ENTRY_H
#define SIGNET_ENTRY_H

#include <signet/account.h>

SIGNET_C_BEGIN

enum {
    SIGNET_KIND_TEXT = 1,
    SIGNET_KIND_HEADS = 2,   /* no body: its parents are all it says */
    SIGNET_TEXT_MAX = 65536, /* bytes of UTF-8; at least 1 */
    SIGNET_PARENTS_MAX = 8,
};

/* The conversation of two accounts. Errors: ARGUMENT (one and the same), NOMEM, CRYPTO. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_conversation_pair(struct signet_library *library,
    const struct signet_id *one, const struct signet_id *other, struct signet_id *conversation_out);

/* What is to be signed. */
struct signet_entry_draft {
    struct signet_id to;       /* the recipient's address */
    struct signet_id to_list;  /* and current device list */
    uint64_t sequence;         /* from 1, per conversation and device */
    struct signet_id previous; /* not looked at when sequence is 1 */
    const struct signet_id *parents;
    size_t parent_count; /* at most SIGNET_PARENTS_MAX; sorted here */
    uint64_t sent_at;    /* ms */
    uint64_t kind;
    signet_span body;
    bool with_card; /* send the own card along */
};

/*
 * Sign an entry and append the content to be sealed.
 * Errors: ARGUMENT (body, kind, sequence, parents, oneself as recipient), NOMEM, CRYPTO; outputs
 * are unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_entry_sign(struct signet_library *library,
    const struct signet_account *account, const struct signet_entry_draft *draft,
    struct signet_buf *content_out, struct signet_id *id_out);

/* The channel by which content came; all of it is compared with what was signed. */
struct signet_channel {
    const struct signet_account *account; /* the recipient */
    const struct signet_card *peer_card;  /* the newest card accepted of the sender */
    struct signet_id peer_device;         /* of the session */
    const struct signet_id *peer_lists;   /* ids of the sender's lists that are known */
    size_t peer_list_count;
};

/* A verified entry; spans borrow from the content. */
struct signet_entry {
    struct signet_id id;
    struct signet_id conversation;
    struct signet_id device;  /* that signed */
    struct signet_id address; /* of the sender */
    struct signet_id list;
    struct signet_id to_list; /* the recipient's list that the sender knew */
    uint64_t sequence;
    struct signet_id previous; /* zero in sequence 1 */
    struct signet_id parents[SIGNET_PARENTS_MAX];
    size_t parent_count;
    uint64_t sent_at; /* ms; the sender's claim */
    uint64_t kind;
    signet_span body;
    signet_span signed_bytes; /* the COSE_Sign1: what to keep for a later proof */
    uint8_t salt[32];         /* with the body gives the signed `content` */
};

/* The parts of content, not verified; spans borrow. */
struct signet_content {
    signet_span signed_bytes; /* the COSE_Sign1: what to keep for a later proof */
    signet_span salt;
    signet_span body;
    signet_span card; /* the sender's card; empty if none came along */
};
/* Errors: FORMAT, LIMIT, PROFILE; *content_out is unchanged then. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_content_read(
    signet_span content, struct signet_content *content_out);

/*
 * Verify content that came by `channel`.
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, SIGNER (not the session's device, or it is not on the
 * card), AUTH (signature; body and salt do not give what was signed), CHANNEL (another
 * conversation, recipient, sender or list), SUITE (a kind that is not spoken here), NOMEM, CRYPTO.
 * *entry_out is unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_entry_open(struct signet_library *library,
    signet_span content, const struct signet_channel *channel, struct signet_entry *entry_out);

SIGNET_C_END

#endif
