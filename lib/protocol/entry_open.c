/*
 * Verifying an entry that came by a channel: docs/protocol.md, sections 7 and 8 (steps 5 and 6).
 *
 * Everything that names who, to whom and where is inside the signature and is compared with the
 * channel, so that a signed entry cannot be passed on to somebody else (surreptitious forwarding)
 * or into another conversation.
 */
#include <string.h>

#include "protocol/account_internal.h"
#include "protocol/card_internal.h"
#include "protocol/entry_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"
#include "wire/cose.h"

enum signet_err signet_content_read(signet_span bytes, struct signet_content *content_out)
{
    struct wire_reader r = wire_reader(bytes);
    struct signet_content content = {0};
    enum signet_err err;

    wire_expect_array(&r, CONTENT_FIELDS);
    content.signed_bytes = wire_get_bytes(&r, 1, ENTRY_MAX + COSE_SIGNATURE_MAX);
    if (!wire_get_null(&r)) /* batch: not in this version */
        wire_reader_fail(&r, SIGNET_ERR_PROFILE);
    content.salt = wire_get_bytes(&r, ENTRY_SALT_LEN, ENTRY_SALT_LEN);
    content.body = wire_get_bytes(&r, 0, SIGNET_TEXT_MAX);
    if (!wire_get_null(&r))
        content.card = wire_get_bytes(&r, 1, SIGNET_CARD_MAX);
    if ((err = wire_reader_finish(&r)) != SIGNET_OK)
        return err;
    *content_out = content;
    return SIGNET_OK;
}

/* To whom an entry is, in rising order. */
struct recipients {
    size_t count;
    struct signet_id addresses[ENTRY_TO_MAX], lists[ENTRY_TO_MAX];
};

static void read_recipients(struct wire_reader *r, struct recipients *to)
{
    to->count = wire_get_array(r, 1, ENTRY_TO_MAX);
    for (size_t i = 0; i < to->count; i++) {
        wire_expect_array(r, 2);
        wire_get_id(r, &to->addresses[i]);
        wire_get_id(r, &to->lists[i]);
        if (i > 0 && signet_id_compare(&to->addresses[i - 1], &to->addresses[i]) >= 0)
            wire_reader_fail(r, SIGNET_ERR_FORMAT);
    }
}

/* The list under which an address is among them; NULL if it is not. */
static const struct signet_id *recipient_list(
    const struct recipients *to, const struct signet_id *address)
{
    for (size_t i = 0; i < to->count; i++) {
        if (signet_id_equal(&to->addresses[i], address))
            return &to->lists[i];
    }
    return NULL;
}

static void read_parents(struct wire_reader *r, struct signet_entry *entry)
{
    entry->parent_count = wire_get_array(r, 0, SIGNET_PARENTS_MAX);
    for (size_t i = 0; i < entry->parent_count; i++) {
        wire_get_id(r, &entry->parents[i]);
        if (i > 0 && signet_id_compare(&entry->parents[i - 1], &entry->parents[i]) >= 0)
            wire_reader_fail(r, SIGNET_ERR_FORMAT);
    }
}

/* The fields of an entry. *names_us: whether this account is its one recipient: a conversation of
 * two has no other, and an entry that is also to somebody else belongs to another one. */
static enum signet_err read_entry(signet_span bytes, const struct signet_account *account,
    struct signet_entry *entry, struct signet_id *content_hash, bool *names_us)
{
    struct wire_reader r = wire_reader(bytes);
    const struct signet_id *own_list;
    struct recipients to;
    bool is_first;

    if (bytes.len > ENTRY_MAX)
        return SIGNET_ERR_LIMIT;
    wire_expect_array(&r, ENTRY_FIELDS);
    wire_get_id(&r, &entry->conversation);
    read_recipients(&r, &to);
    wire_get_id(&r, &entry->device);
    wire_get_id(&r, &entry->address);
    wire_get_id(&r, &entry->list);
    entry->sequence = wire_get_uint(&r, SIGNET_TIME_MAX);
    is_first = wire_get_null(&r);
    if (!is_first)
        wire_get_id(&r, &entry->previous);
    read_parents(&r, entry);
    entry->sent_at = wire_get_uint(&r, SIGNET_TIME_MAX);
    entry->kind = wire_get_uint(&r, UINT16_MAX);
    wire_get_id(&r, content_hash);
    if (entry->sequence == 0 || is_first != (entry->sequence == 1) ||
        recipient_list(&to, &entry->address) != NULL)
        wire_reader_fail(&r, SIGNET_ERR_FORMAT);
    own_list = to.count == 1 ? recipient_list(&to, signet_account_address(account)) : NULL;
    *names_us = own_list != NULL;
    if (*names_us)
        entry->to_list = *own_list;
    return wire_reader_finish(&r);
}

static bool is_known_list(const struct signet_channel *channel, const struct signet_id *list)
{
    if (signet_id_equal(signet_card_list(channel->peer_card), list))
        return true;
    for (size_t i = 0; i < channel->peer_list_count; i++) {
        if (signet_id_equal(&channel->peer_lists[i], list))
            return true;
    }
    return false;
}

/* What the entry says against the channel it came by. */
static enum signet_err check_channel(struct signet_library *library,
    const struct signet_channel *channel, const struct signet_entry *entry, bool names_us)
{
    const struct signet_id *peer = signet_card_address(channel->peer_card);
    struct signet_id conversation;
    enum signet_err err;

    err = signet_conversation_pair(
        library, signet_account_address(channel->account), peer, &conversation);
    if (err != SIGNET_OK)
        return err == SIGNET_ERR_ARGUMENT ? SIGNET_ERR_CHANNEL : err;
    if (!signet_id_equal(&entry->address, peer) || !is_known_list(channel, &entry->list) ||
        !signet_id_equal(&entry->conversation, &conversation) || !names_us ||
        !signet_account_issued_list(channel->account, &entry->to_list))
        return SIGNET_ERR_CHANNEL;
    return SIGNET_OK;
}

/* That salt and body are what was signed, and of a kind that is spoken here. */
static enum signet_err check_body(struct signet_library *library,
    const struct signet_content *content, const struct signet_id *signed_hash,
    struct signet_entry *entry)
{
    struct signet_id hash;
    enum signet_err err;

    if (entry->kind != SIGNET_KIND_TEXT && entry->kind != SIGNET_KIND_HEADS)
        return SIGNET_ERR_SUITE;
    err = entry_content_hash(library, content->salt.ptr, content->body, &hash);
    if (err != SIGNET_OK)
        return err;
    if (!signet_id_equal(&hash, signed_hash))
        return SIGNET_ERR_AUTH;
    if (!entry_body_is_valid(entry->kind, content->body))
        return SIGNET_ERR_FORMAT;
    entry->body = content->body;
    memcpy(entry->salt, content->salt.ptr, sizeof(entry->salt));
    return SIGNET_OK;
}

enum signet_err signet_entry_open(struct signet_library *library, signet_span content,
    const struct signet_channel *channel, struct signet_entry *entry_out)
{
    struct signet_entry entry = {0};
    struct signet_content parts;
    struct signet_id content_hash;
    const struct crypto_rsa_public *key;
    signet_span payload;
    bool names_us = false;
    enum signet_err err;

    if ((err = signet_content_read(content, &parts)) != SIGNET_OK)
        return err;
    if ((err = signed_peek(parts.signed_bytes, TYP_ENTRY, &payload)) != SIGNET_OK)
        return err;
    err = read_entry(payload, channel->account, &entry, &content_hash, &names_us);
    if (err != SIGNET_OK)
        return err;
    /* An insider may not pass another's signed entry on as if its session were the other's. */
    key = card_device_key(channel->peer_card, &channel->peer_device);
    if (key == NULL || !signet_id_equal(&entry.device, &channel->peer_device))
        return SIGNET_ERR_SIGNER;
    if ((err = signed_open(key, TYP_ENTRY, parts.signed_bytes, &payload)) != SIGNET_OK)
        return err;
    if ((err = check_channel(library, channel, &entry, names_us)) != SIGNET_OK)
        return err;
    if ((err = check_body(library, &parts, &content_hash, &entry)) != SIGNET_OK)
        return err;
    if ((err = entry_hash(library, payload, &entry.id)) != SIGNET_OK)
        return err;
    entry.signed_bytes = parts.signed_bytes;
    *entry_out = entry;
    return SIGNET_OK;
}
