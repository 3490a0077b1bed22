/* Lines of the history, contacts and verdicts as they are stored. */
#include "tests/support/unit.h"

#include <stdlib.h>

#include "engine/contact.h"
#include "engine/history/message.h"
#include "tests/support/parties.h"

static void a_message_survives_its_record(void **state)
{
    struct message message = {.is_outgoing = true,
        .verdict = VERDICT_GAP,
        .sequence = 7,
        .sent_at = 1,
        .received_at = 2,
        .accepted_at = 3,
        .kind = SIGNET_KIND_TEXT,
        .suite = 1,
        .missing = 4};
    struct message back = {0};
    struct signet_buf value = {0};

    (void)state;
    memset(message.id.b, 1, sizeof(message.id.b));
    memset(message.peer.b, 2, sizeof(message.peer.b));
    memset(message.salt, 3, sizeof(message.salt));
    CHECK_OK(signet_buf_append(&message.text, signet_span_str("a text")));
    CHECK_OK(signet_buf_append(&message.signed_bytes, signet_span_str("signed")));
    CHECK_OK(message_encode(&message, &value));
    CHECK_OK(message_decode(signet_buf_span(&value), &back));
    CHECK(back.is_outgoing && back.verdict == VERDICT_GAP && back.sequence == 7);
    CHECK(back.sent_at == 1 && back.received_at == 2 && back.accepted_at == 3);
    CHECK(back.missing == 4 && back.suite == 1 && back.kind == SIGNET_KIND_TEXT);
    CHECK(signet_id_equal(&back.id, &message.id) && signet_id_equal(&back.peer, &message.peer));
    CHECK(memcmp(back.salt, message.salt, sizeof(back.salt)) == 0);
    CHECK_SPAN(signet_buf_span(&back.text), "a text");
    CHECK_SPAN(signet_buf_span(&back.signed_bytes), "signed");
    message_clear(&back);
    for (size_t len = 0; len < value.len; len++)
        CHECK(message_decode(signet_span_of(value.ptr, len), &back) != SIGNET_OK);
    message_clear(&message);
    signet_buf_free(&value);
}

static void a_contact_survives_its_record(void **state)
{
    struct seeded_library seeded = seeded_library_new(1);
    struct party bob = party_new(seeded.library, BOB);
    struct contact contact = {.state = CONTACT_CONFIRMED, .fetched_at = 9, .has_changed = true};
    struct contact back = {0};
    struct contact_device *device;
    struct signet_id id = {{5}};
    struct signet_buf value = {0};

    (void)state;
    contact.card = (struct signet_card *)(uintptr_t)party_card(&bob);
    contact.address = *signet_card_address(contact.card);
    memcpy(contact.name, "bob", 4);
    memset(contact.changed_to.b, 8, sizeof(contact.changed_to.b));
    for (size_t i = 0; i < CONTACT_LISTS_MAX + 3; i++) {
        id.b[1] = (uint8_t)i;
        contact_add_list(&contact, &id);
        contact_add_list(&contact, &id); /* known already */
    }
    CHECK(contact.list_count == CONTACT_LISTS_MAX);
    CHECK(contact.lists[0].b[1] == 3 && contact.lists[CONTACT_LISTS_MAX - 1].b[1] == 18);
    device = contact_find_device(&contact, &id);
    CHECK(device != NULL && contact_find_device(&contact, &id) == device);
    device->bundle_version = 12;
    device->suite = 1;
    CHECK_OK(contact_encode(&contact, &value));
    CHECK_OK(contact_decode(seeded.library, signet_buf_span(&value), &back));
    assert_string_equal(back.name, "bob");
    assert_string_equal(contact_state_word(back.state), "confirmed");
    CHECK(back.has_changed && signet_id_equal(&back.changed_to, &contact.changed_to));
    CHECK(back.fetched_at == 9 && back.list_count == CONTACT_LISTS_MAX && back.device_count == 1);
    CHECK(back.devices[0].bundle_version == 12 && back.devices[0].suite == 1);
    CHECK(signet_id_equal(signet_card_list(back.card), signet_card_list(contact.card)));
    contact_clear(&back);
    signet_buf_free(&value);
    party_free(&bob);
    seeded_library_free(&seeded);
}

/* docs/protocol.md, section 8: one table of words. */
static void every_refusal_has_its_own_word(void **state)
{
    (void)state;
    for (int err = SIGNET_ERR_FORMAT; err >= SIGNET_ERR_SUITE; err--) {
        enum verdict verdict = verdict_of((enum signet_err)err);

        CHECK(verdict_exists((enum signet_err)err) && !verdict_is_authentic(verdict));
        CHECK(strcmp(verdict_word(verdict), verdict_word(VERDICT_VERIFIED)) != 0);
        CHECK(verdict == VERDICT_MALFORMED || err == SIGNET_ERR_FORMAT ||
              strcmp(verdict_word(verdict), verdict_word(VERDICT_MALFORMED)) != 0);
    }
    CHECK(!verdict_exists(SIGNET_OK) && !verdict_exists(SIGNET_ERR_NOMEM));
    CHECK(!verdict_exists(SIGNET_ERR_CRYPTO) && !verdict_exists(SIGNET_ERR_IO));
    CHECK(verdict_of(SIGNET_OK) == VERDICT_VERIFIED && verdict_is_authentic(VERDICT_VERIFIED));
    CHECK(verdict_is_authentic(VERDICT_GAP) && verdict_is_authentic(VERDICT_FORK));
}

TEST_FILE(message)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_survives_its_record),
        cmocka_unit_test(a_contact_survives_its_record),
        cmocka_unit_test(every_refusal_has_its_own_word),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
