/* The session of an envelope, and its seal: docs/protocol.md, sections 5, 6 and 8 (2 to 4). */
#include "engine/account.h"
#include "engine/history/seen.h"
#include "engine/inbox/delivery.h"
#include "engine/recovery.h"
#include "engine/sessions/sessions.h"

/* The secrets of an own bundle. Errors: UNKNOWN (not ours, expired, damaged). */
static enum signet_err load_secrets(struct txn *t, const struct signet_id *bundle,
    uint64_t *version_out, struct signet_bundle_secrets **secrets_out)
{
    const struct counters *c = &t->own->counters;
    uint64_t version = 0;
    enum signet_err err;

    for (size_t i = 0; i < c->bundle_count; i++) {
        if (signet_id_equal(&c->bundles[i].id, bundle))
            version = c->bundles[i].version;
    }
    if (version == 0)
        return SIGNET_ERR_UNKNOWN;
    err = own_load_bundle(t, version, secrets_out);
    *version_out = version;
    return err == SIGNET_ERR_AUTH ? SIGNET_ERR_UNKNOWN : err;
}

/* A session that this envelope begins. */
static enum signet_err accept_session(struct txn *t, struct delivery *d)
{
    struct signet_bundle_secrets *secrets = NULL;
    struct signet_session_own own = {.account = t->own->account};
    enum signet_err err = load_secrets(t, &d->view.bundle, &d->bundle_version, &secrets);

    if (err != SIGNET_OK)
        return err;
    own.secrets = secrets;
    err = signet_session_accept(t->library, &own, d->envelope, t->now_ms, &d->session);
    signet_bundle_secrets_free(secrets);
    d->is_new_session = err == SIGNET_OK;
    return err;
}

/* A session that lives here already: by its transcript, or by the envelope's tag. */
static enum signet_err find_session(struct txn *t, struct delivery *d)
{
    struct signet_id transcript = d->view.transcript;
    struct session_slot *slot;
    enum signet_err err = SIGNET_OK;

    t->sessions->has_lost_one = false;
    if (!d->view.has_init)
        err = sessions_find_tag(t, &d->view.tag, &transcript);
    if (err == SIGNET_OK)
        err = sessions_load(t, &transcript, &slot);
    if (err == SIGNET_ERR_UNKNOWN && t->sessions->has_lost_one) {
        if ((err = recovery_trace(t, &transcript)) == SIGNET_OK)
            err = SIGNET_ERR_UNKNOWN;
    }
    if (err != SIGNET_OK)
        return err;
    return signet_session_copy(slot->session, &d->session);
}

/* There is no session: a new one, unless it was begun before and is gone. A replay would show its
 * messages a second time. */
static enum signet_err begin_session(struct txn *t, struct delivery *d)
{
    enum signet_err err = seen_has(t, RECORD_TRANSCRIPT, &d->view.transcript);

    if (err == SIGNET_ERR_UNKNOWN)
        return accept_session(t, d);
    return err == SIGNET_OK ? SIGNET_ERR_UNKNOWN : err;
}

enum signet_err unseal_open(struct txn *t, struct delivery *d)
{
    char device[SIGNET_ID_SHORT_SIZE];
    uint64_t opened_at = t->now_ms;
    enum signet_err err = signet_envelope_view(t->library, d->envelope, &d->view);

    if (err != SIGNET_OK)
        return err;
    err = find_session(t, d);
    if (err == SIGNET_ERR_UNKNOWN && d->view.has_init)
        err = begin_session(t, d);
    if (err != SIGNET_OK)
        return err;
    signet_id_short(signet_session_peer_device(d->session), device);
    if (d->is_new_session) {
        err = txn_explain(t, "confidentiality, authentication",
            "session key opened with the own RSA key, keys agreed",
            "RSA-OAEP 3072, X25519, HKDF-SHA-256",
            "a session begun by device %s, whose signature over the transcript holds", device);
        if (err != SIGNET_OK)
            return err;
    }
    err = sessions_next_time(t, signet_session_peer_device(d->session), &opened_at);
    if (err == SIGNET_OK)
        err = signet_session_open(d->session, d->envelope, opened_at, &d->content);
    if (err != SIGNET_OK)
        return err;
    return txn_explain(t, "confidentiality, integrity", "envelope opened: its seal holds",
        "AES-256-GCM; Double Ratchet",
        "envelope of %zu bytes from device %s -> signed message of %zu bytes; its key is "
        "forgotten now",
        d->envelope.len, device, d->content.len);
}

enum signet_err unseal_forget_one_time(struct txn *t, struct delivery *d)
{
    struct signet_bundle_secrets *secrets = NULL;
    uint64_t version;
    enum signet_err err;

    if (!d->is_new_session || !d->view.has_one_time)
        return SIGNET_OK;
    if ((err = load_secrets(t, &d->view.bundle, &version, &secrets)) != SIGNET_OK)
        return err;
    signet_bundle_secrets_forget(secrets, d->view.one_time);
    err = own_save_bundle(t, secrets);
    signet_bundle_secrets_free(secrets);
    return err;
}
