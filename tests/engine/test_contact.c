/* engine/contact.h: contacts as they are stored, also by earlier versions. */
#include "tests/support/parties.h"
#include "tests/support/unit.h"

#include "engine/contact.h"
#include "wire/cbor.h"

struct fixture {
    struct seeded_library seeded;
    struct party alice;
    struct contact contact;
};

static void fixture_open(struct fixture *f)
{
    f->seeded = seeded_library_new(540);
    f->alice = party_new(f->seeded.library, ALICE);
    f->contact = (struct contact){.address = *signet_account_address(f->alice.account),
        .name = "alice",
        .state = CONTACT_CONFIRMED,
        .fetched_at = 7};
    CHECK_OK(signet_card_read(
        f->seeded.library, signet_card_bytes(party_card(&f->alice)), &f->contact.card));
}

static void fixture_close(struct fixture *f)
{
    contact_clear(&f->contact);
    party_free(&f->alice);
    seeded_library_free(&f->seeded);
}

static void a_contact_is_stored_with_its_doubts(void **state)
{
    struct signet_buf value = {0};
    struct contact read;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.contact.is_expired = true;
    contact_note_fork(&f.contact, f.contact.card);
    CHECK(contact_find_device(&f.contact, &f.contact.address) != NULL);
    f.contact.devices[0].bundle_version = 3;
    f.contact.devices[0].is_expired = true;
    CHECK_OK(contact_encode(&f.contact, &value));
    CHECK_OK(contact_decode(f.seeded.library, signet_buf_span(&value), &read));
    CHECK(read.is_expired && read.has_forked && !read.has_changed);
    CHECK(signet_id_equal(&read.forked_list, signet_card_list(read.card)));
    CHECK(read.device_count == 1 && read.devices[0].bundle_version == 3);
    CHECK(read.devices[0].is_expired);
    assert_string_equal(read.name, "alice");
    contact_clear(&read);
    signet_buf_free(&value);
    fixture_close(&f);
}

/* More devices over a lifetime than a card holds at once: those that have left make room. */
static void devices_that_left_the_card_make_room(void **state)
{
    struct signet_id device = {{0}};
    const struct signet_id *present;
    struct contact_device *found;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    present = signet_card_device(f.contact.card, 0);
    contact_find_device(&f.contact, present)->bundle_version = 9;
    for (uint8_t i = 1; i <= 3 * SIGNET_CARD_DEVICES_MAX; i++) {
        device.b[0] = i;
        found = contact_find_device(&f.contact, &device);
        CHECK(found != NULL && found->bundle_version == 0);
        found->bundle_version = i;
    }
    CHECK(f.contact.device_count == SIGNET_CARD_DEVICES_MAX);
    CHECK(contact_find_device(&f.contact, present)->bundle_version == 9);
    fixture_close(&f);
}

/* Version 1: no forks. */
static void a_contact_of_the_first_version_is_read(void **state)
{
    static const struct signet_id none;
    struct signet_buf value = {0};
    struct wire_writer w = wire_writer(&value);
    struct contact read;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    wire_put_array(&w, 11);
    wire_put_uint(&w, 1);
    wire_put_id(&w, &f.contact.address);
    wire_put_text(&w, signet_span_str("alice"));
    wire_put_uint(&w, CONTACT_CONFIRMED);
    wire_put_bytes(&w, signet_card_bytes(f.contact.card));
    wire_put_uint(&w, 7);
    wire_put_uint(&w, 0);
    wire_put_null(&w);
    wire_put_id(&w, &none);
    wire_put_array(&w, 0);
    wire_put_array(&w, 1);
    wire_put_array(&w, 4);
    wire_put_id(&w, &f.contact.address);
    wire_put_uint(&w, 3);
    wire_put_uint(&w, 1);
    wire_put_id(&w, &none);
    CHECK_OK(wire_writer_finish(&w));
    CHECK_OK(contact_decode(f.seeded.library, signet_buf_span(&value), &read));
    CHECK(!read.has_forked && !read.devices[0].is_expired && read.state == CONTACT_CONFIRMED);
    CHECK(read.device_count == 1 && read.devices[0].bundle_version == 3);
    contact_clear(&read);
    signet_buf_free(&value);
    fixture_close(&f);
}

TEST_FILE(contact)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contact_is_stored_with_its_doubts),
        cmocka_unit_test(devices_that_left_the_card_make_room),
        cmocka_unit_test(a_contact_of_the_first_version_is_read),
    };

    return cmocka_run_group_tests_name("contact", tests, NULL, NULL);
}
