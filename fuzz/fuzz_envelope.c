/*
 * Envelopes, protocol.md sections 5 and 6: against a session that has received, has keys of skipped
 * messages, and expects a next chain. What is refused changes nothing; what is read is written back
 * to the same bytes.
 */
#include "fuzz/fuzz.h"

#include "tests/support/forge_session.h"
#include "tests/support/seeded_library.h"
#include "wire/envelope.h"

enum { SEED = 1, SKIPPED = 3 };
#define NOW UINT64_C(1800000000000)

/* The receiving side after the fourth message of a chain; the sending side sealed them with a
 * generator that begins with the same seed each time, so that the corpus holds good envelopes. */
static struct signet_buf established(struct signet_library *library)
{
    struct handshake_keys keys = {.root = {1}, .header_a = {2}, .header_b = {3}};
    struct ratchet *ours = NULL, *theirs = NULL;
    struct signet_session *sender, *receiver;
    struct crypto_dh_pair prekey;
    struct signet_buf envelope = {0}, content = {0}, encoded = {0};

    FUZZ_REQUIRE(crypto_dh_generate(library, &prekey) == SIGNET_OK);
    FUZZ_REQUIRE(ratchet_new_initiator(library, &keys, &prekey.public_key, &theirs) == SIGNET_OK);
    FUZZ_REQUIRE(ratchet_new_responder(library, &keys, &prekey, &ours) == SIGNET_OK);
    sender = forge_session(library, theirs);
    receiver = forge_session(library, ours);
    for (int i = 0; i <= SKIPPED; i++) {
        signet_buf_truncate(&envelope, 0);
        FUZZ_REQUIRE(signet_session_seal(sender, signet_span_str("seed"), &envelope) == SIGNET_OK);
    }
    FUZZ_REQUIRE(
        signet_session_open(receiver, signet_buf_span(&envelope), NOW, &content) == SIGNET_OK);
    FUZZ_REQUIRE(signet_session_encode(receiver, &encoded) == SIGNET_OK);
    signet_session_free(sender);
    signet_session_free(receiver);
    signet_buf_free(&envelope);
    signet_buf_free(&content);
    return encoded;
}

/* Its parts, written again, give the same bytes. */
static void write_back(signet_span in)
{
    struct signet_buf init = {0}, again = {0};
    struct wire_writer w;
    struct envelope e;

    FUZZ_REQUIRE(envelope_read(in, &e) == SIGNET_OK);
    if (e.has_init)
        FUZZ_REQUIRE(envelope_init_write(&e.init, &init) == SIGNET_OK);
    FUZZ_REQUIRE(envelope_begin(e.tag, e.salt, signet_buf_span(&init), &again) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), e.header_ad));
    FUZZ_REQUIRE(signet_buf_append(&again, e.header) == SIGNET_OK);
    w = wire_writer(&again);
    wire_put_bytes(&w, e.body);
    FUZZ_REQUIRE(wire_writer_finish(&w) == SIGNET_OK);
    FUZZ_REQUIRE(signet_span_equal(signet_buf_span(&again), in));
    signet_buf_free(&init);
    signet_buf_free(&again);
}

static void open_copy(struct signet_library *library, signet_span session, signet_span in)
{
    struct signet_buf after = {0}, content = {0};
    struct signet_session *copy = NULL;
    enum signet_err err;

    FUZZ_REQUIRE(signet_session_decode(library, session, &copy) == SIGNET_OK);
    err = signet_session_open(copy, in, NOW, &content);
    FUZZ_REQUIRE(signet_session_encode(copy, &after) == SIGNET_OK);
    FUZZ_REQUIRE((err == SIGNET_OK) != signet_span_equal(session, signet_buf_span(&after)));
    FUZZ_REQUIRE(err == SIGNET_OK || content.len == 0);
    signet_session_free(copy);
    signet_buf_free(&after);
    signet_buf_free(&content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct seeded_library seeded;
    static struct signet_buf session; /* encoded: LeakSanitizer does not see the secure heap */
    signet_span in = signet_span_of(data, size);
    struct signet_envelope_view view;

    if (session.len == 0) {
        seeded = seeded_library_new(SEED);
        session = established(seeded.library);
    }
    if (signet_envelope_view(seeded.library, in, &view) != SIGNET_OK)
        return 0;
    write_back(in);
    open_copy(seeded.library, signet_buf_span(&session), in);
    return 0;
}
