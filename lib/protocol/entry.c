/* What signing and opening entries have in common: docs/protocol.md, section 7. */
#include "base/utf8.h"
#include "crypto/hash.h"
#include "protocol/entry_internal.h"

enum signet_err signet_conversation_pair(struct signet_library *library,
    const struct signet_id *one, const struct signet_id *other, struct signet_id *conversation_out)
{
    bool in_order = signet_id_compare(one, other) < 0;
    const signet_span parts[] = {
        signet_span_str("signet pair"),
        signet_id_span(in_order ? one : other),
        signet_id_span(in_order ? other : one),
    };

    if (signet_id_equal(one, other))
        return SIGNET_ERR_ARGUMENT;
    return crypto_sha256(library, parts, 3, conversation_out);
}

enum signet_err entry_content_hash(struct signet_library *library,
    const uint8_t salt[ENTRY_SALT_LEN], signet_span body, struct signet_id *hash_out)
{
    const signet_span parts[] = {
        signet_span_str("signet content"), signet_span_of(salt, ENTRY_SALT_LEN), body};

    return crypto_sha256(library, parts, 3, hash_out);
}

enum signet_err entry_hash(
    struct signet_library *library, signet_span entry, struct signet_id *id_out)
{
    static const uint8_t leaf_prefix = 0;
    const signet_span parts[] = {signet_span_of(&leaf_prefix, 1), entry};

    return crypto_sha256(library, parts, 2, id_out);
}

bool entry_body_is_valid(uint64_t kind, signet_span body)
{
    if (kind == SIGNET_KIND_HEADS)
        return body.len == 0;
    return kind == SIGNET_KIND_TEXT && body.len > 0 && body.len <= SIGNET_TEXT_MAX &&
           utf8_is_valid(body);
}
