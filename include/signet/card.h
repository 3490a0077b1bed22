/*
 * A card: what others need to trust an account (docs/protocol.md, section 3).
 *
 * It holds the account's identity keys from the first on, each with a signed device list; the
 * last list is the current one. A card that was read is valid in itself and never changes; whether
 * it may replace an older card of the same account is signet_card_follows.
 */
#ifndef SIGNET_CARD_H
#define SIGNET_CARD_H

#include <signet/buffer.h>
#include <signet/id.h>
#include <signet/library.h>

SIGNET_C_BEGIN

enum {
    SIGNET_CARD_MAX = 32768, /* bytes */
    SIGNET_CARD_GENERATIONS_MAX = 8,
    SIGNET_CARD_DEVICES_MAX = 16,
};

/* How far clocks are trusted (docs/protocol.md, section 1). */
#define SIGNET_CLOCK_TOLERANCE_MS (UINT64_C(24) * 3600 * 1000)
/* The largest time that the formats hold: 2^53 - 1. */
#define SIGNET_TIME_MAX UINT64_C(9007199254740991)

struct signet_card;

/*
 * Read and verify a card, apart from its time.
 * Errors: FORMAT, LIMIT, PROFILE, PURPOSE, KEY, SIGNER, AUTH, SUCCESSION (a key that the list
 * before it did not announce), NOMEM, CRYPTO. *card_out is unchanged then.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_read(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out);

/*
 * In two steps, for a relay: a modulus costs 10 ms to check, which whoever is not known should not
 * have done for nothing. A card that was read unchecked is verified but for the moduli of its keys.
 * Nothing may rely on it, and it must not be kept, before signet_card_check_keys has gone over all
 * of them. Errors: as signet_card_read.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_read_unchecked(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out);
/*
 * From key number *checked on (0 at first), check at most *budget keys that `known` (NULL: none)
 * does not have as well; *budget falls by one with each of them, and *checked rises up to
 * signet_card_key_count, where all are checked. Errors: KEY, NOMEM, CRYPTO.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_check_keys(const struct signet_card *card,
    const struct signet_card *known, size_t *budget, size_t *checked);
/* Identity keys, and those of the current devices. */
SIGNET_API size_t signet_card_key_count(const struct signet_card *card);
/* A card that was read once and has been kept since where nobody else writes: nothing is verified
 * again. Errors: as signet_card_read. */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_read_stored(
    struct signet_library *library, signet_span bytes, struct signet_card **card_out);

/* One more owner of the same card. */
SIGNET_API struct signet_card *signet_card_share(struct signet_card *card);
/* NULL is fine. */
SIGNET_API void signet_card_free(struct signet_card *card);

/* The bytes read; borrowed from the card, as are all the accessors' results. */
SIGNET_API signet_span signet_card_bytes(const struct signet_card *card);
SIGNET_API const struct signet_id *signet_card_address(const struct signet_card *card);
/* The id of the current device list. */
SIGNET_API const struct signet_id *signet_card_list(const struct signet_card *card);
SIGNET_API uint64_t signet_card_generation(const struct signet_card *card);
SIGNET_API uint64_t signet_card_version(const struct signet_card *card);
SIGNET_API uint64_t signet_card_issued_at(const struct signet_card *card); /* ms */
SIGNET_API uint64_t signet_card_not_after(const struct signet_card *card); /* ms */
/* Bits of the current identity key's modulus. */
SIGNET_API unsigned signet_card_identity_bits(const struct signet_card *card);
/* 1..SIGNET_CARD_DEVICES_MAX, in rising order of their ids. */
SIGNET_API size_t signet_card_device_count(const struct signet_card *card);
SIGNET_API const struct signet_id *signet_card_device(const struct signet_card *card, size_t index);
SIGNET_API bool signet_card_has_device(
    const struct signet_card *card, const struct signet_id *device);

/* Errors: EXPIRED (now is past not_after and the tolerance), NOT_YET (issued in the future). */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_check_time(
    const struct signet_card *card, uint64_t now_ms);

/*
 * Whether `newer` may stand where `older` stood; SIGNET_OK also for the same list again.
 * Errors: CHANNEL (another address), ROLLBACK, FORK, SUCCESSION.
 */
SIGNET_API SIGNET_MUST_USE enum signet_err signet_card_follows(
    const struct signet_card *older, const struct signet_card *newer);

SIGNET_C_END

#endif
