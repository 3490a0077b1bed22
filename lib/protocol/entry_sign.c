/* Signing an entry: docs/protocol.md, section 7. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "protocol/account_internal.h"
#include "protocol/entry_internal.h"
#include "protocol/signed.h"
#include "wire/cbor.h"

static bool draft_is_valid(
    const struct signet_account *account, const struct signet_entry_draft *draft)
{
    return draft->sequence > 0 && draft->sequence <= SIGNET_TIME_MAX &&
           draft->parent_count <= SIGNET_PARENTS_MAX && draft->sent_at <= SIGNET_TIME_MAX &&
           entry_body_is_valid(draft->kind, draft->body) &&
           !signet_id_equal(&draft->to, signet_account_address(account));
}

static int compare_ids(const void *a, const void *b)
{
    return signet_id_compare(a, b);
}

/* Rising; ARGUMENT where one is there twice. */
static void put_parents(struct wire_writer *w, const struct signet_entry_draft *draft)
{
    struct signet_id sorted[SIGNET_PARENTS_MAX];

    if (draft->parent_count > 0)
        memcpy(sorted, draft->parents, draft->parent_count * sizeof(sorted[0]));
    qsort(sorted, draft->parent_count, sizeof(sorted[0]), compare_ids);
    wire_put_array(w, draft->parent_count);
    for (size_t i = 0; i < draft->parent_count; i++) {
        wire_put_id(w, &sorted[i]);
        if (i > 0 && signet_id_equal(&sorted[i - 1], &sorted[i]) && w->err == SIGNET_OK)
            w->err = SIGNET_ERR_ARGUMENT;
    }
}

static enum signet_err write_entry(const struct signet_account *account,
    const struct signet_entry_draft *draft, const struct signet_id *conversation,
    const struct signet_id *content, struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, ENTRY_FIELDS);
    wire_put_id(&w, conversation);
    wire_put_array(&w, 1);
    wire_put_array(&w, 2);
    wire_put_id(&w, &draft->to);
    wire_put_id(&w, &draft->to_list);
    wire_put_id(&w, signet_account_device(account));
    wire_put_id(&w, signet_account_address(account));
    wire_put_id(&w, signet_card_list(account->card));
    wire_put_uint(&w, draft->sequence);
    if (draft->sequence == 1)
        wire_put_null(&w);
    else
        wire_put_id(&w, &draft->previous);
    put_parents(&w, draft);
    wire_put_uint(&w, draft->sent_at);
    wire_put_uint(&w, draft->kind);
    wire_put_id(&w, content);
    return wire_writer_finish(&w);
}

static enum signet_err write_content(const struct signet_account *account,
    const struct signet_entry_draft *draft, signet_span cose, signet_span salt,
    struct signet_buf *out)
{
    struct wire_writer w = wire_writer(out);

    wire_put_array(&w, CONTENT_FIELDS);
    wire_put_bytes(&w, cose);
    wire_put_null(&w); /* profile Single: the entry is the signature's payload */
    wire_put_bytes(&w, salt);
    wire_put_bytes(&w, draft->body);
    if (draft->with_card)
        wire_put_bytes(&w, signet_card_bytes(account->card));
    else
        wire_put_null(&w);
    return wire_writer_finish(&w);
}

enum signet_err signet_entry_sign(struct signet_library *library,
    const struct signet_account *account, const struct signet_entry_draft *draft,
    struct signet_buf *content_out, struct signet_id *id_out)
{
    uint8_t salt[ENTRY_SALT_LEN];
    struct signet_buf entry = {0}, cose = {0};
    struct signet_id conversation, content, id;
    enum signet_err err;

    if (!draft_is_valid(account, draft))
        return SIGNET_ERR_ARGUMENT;
    err = signet_conversation_pair(
        library, signet_account_address(account), &draft->to, &conversation);
    if (err != SIGNET_OK)
        return err;
    /* Secret: whoever knows the salt could guess a short body from the signed hash. */
    if ((err = crypto_random_secret(library, salt, sizeof(salt))) != SIGNET_OK)
        return err;
    if ((err = entry_content_hash(library, salt, draft->body, &content)) != SIGNET_OK)
        goto out;
    if ((err = write_entry(account, draft, &conversation, &content, &entry)) != SIGNET_OK)
        goto out;
    if ((err = entry_hash(library, signet_buf_span(&entry), &id)) != SIGNET_OK)
        goto out;
    err = signed_make(account->device, TYP_ENTRY, signet_buf_span(&entry), &cose);
    if (err != SIGNET_OK)
        goto out;
    err = write_content(
        account, draft, signet_buf_span(&cose), signet_span_of(salt, sizeof(salt)), content_out);
    if (err == SIGNET_OK)
        *id_out = id;
out:
    signet_buf_free(&entry);
    signet_buf_free(&cose);
    crypto_wipe(salt, sizeof(salt));
    return err;
}
