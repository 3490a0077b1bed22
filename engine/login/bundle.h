/* The own prekey bundles: docs/protocol.md, section 4. */
#ifndef ENGINE_LOGIN_BUNDLE_H
#define ENGINE_LOGIN_BUNDLE_H

#include "engine/txn/requests.h"

/* Whether a new bundle is to be published; `published`: the version that the relay has, or 0. */
bool own_bundle_is_due(
    const struct txn *t, const struct relay_message *welcome, uint64_t published);
/* The bundle that was never confirmed once more, or else a new one. Errors: machine errors. */
SIGNET_MUST_USE enum signet_err own_bundle_publish(struct txn *t);
/* The relay has that bundle of ours. */
SIGNET_MUST_USE enum signet_err own_bundle_published(struct txn *t, uint64_t version);

#endif
