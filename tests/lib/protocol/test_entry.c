/* protocol: entries; docs/protocol.md, sections 7 and 8. */
#include "tests/support/unit.h"

#include "crypto/hash.h"
#include "tests/support/flip.h"
#include "tests/support/forge.h"
#include "tests/support/parties.h"

struct fixture {
    struct seeded_library seeded;
    struct signet_library *library;
    struct party alice, bob, carol;
};

static struct fixture fixture_new(void)
{
    struct fixture f = {.seeded = seeded_library_new(91)};

    f.library = f.seeded.library;
    f.alice = party_new(f.library, ALICE);
    f.bob = party_new(f.library, BOB);
    f.carol = party_new(f.library, CAROL);
    return f;
}

static void fixture_free(struct fixture *f)
{
    party_free(&f->alice);
    party_free(&f->bob);
    party_free(&f->carol);
    seeded_library_free(&f->seeded);
}

static struct signet_entry_draft draft_of(const struct fixture *f, const char *text)
{
    struct signet_entry_draft draft = {
        .to = *signet_account_address(f->bob.account),
        .to_list = *signet_card_list(party_card(&f->bob)),
        .sequence = 1,
        .sent_at = PARTY_NOW,
        .kind = SIGNET_KIND_TEXT,
        .body = signet_span_str(text),
    };

    return draft;
}

/* What bob makes of content from alice; *entry is untouched after an error. */
static enum signet_err open_entry(
    const struct fixture *f, const struct signet_buf *content, struct signet_entry *entry)
{
    struct signet_channel channel = party_channel(&f->bob, &f->alice);
    struct signet_entry opened = {.sequence = 0};
    enum signet_err err =
        signet_entry_open(f->library, signet_buf_span(content), &channel, &opened);

    CHECK((opened.sequence != 0) == (err == SIGNET_OK));
    if (err == SIGNET_OK)
        *entry = opened;
    return err;
}

static enum signet_err refusal(const struct fixture *f, const struct signet_buf *content)
{
    struct signet_entry entry;

    return open_entry(f, content, &entry);
}

/* docs/protocol.md, section 7: every field comes back as it was drafted. */
static void an_entry_opens_as_it_was_signed(void **state)
{
    struct fixture f = fixture_new();
    struct signet_id parents[3] = {{.b = {9}}, {.b = {1}}, {.b = {5}}};
    struct signet_entry_draft draft = draft_of(&f, "hello bob");
    struct signet_buf content = {0};
    struct signet_entry entry;
    struct signet_id id, conversation;

    (void)state;
    draft.sequence = 7;
    draft.previous = parents[2];
    draft.parents = parents;
    draft.parent_count = 3;
    CHECK_OK(signet_entry_sign(f.library, f.alice.account, &draft, &content, &id));
    CHECK_OK(open_entry(&f, &content, &entry));
    CHECK_OK(signet_conversation_pair(f.library, signet_account_address(f.bob.account),
        signet_account_address(f.alice.account), &conversation));
    CHECK(signet_id_equal(&entry.id, &id) && signet_id_equal(&entry.conversation, &conversation));
    CHECK(signet_id_equal(&entry.device, signet_account_device(f.alice.account)));
    CHECK(signet_id_equal(&entry.address, signet_account_address(f.alice.account)));
    CHECK(signet_id_equal(&entry.list, signet_card_list(party_card(&f.alice))));
    CHECK(signet_id_equal(&entry.to_list, &draft.to_list));
    CHECK(entry.sequence == 7 && signet_id_equal(&entry.previous, &parents[2]));
    CHECK(entry.parent_count == 3 && entry.parents[0].b[0] == 1 && entry.parents[1].b[0] == 5 &&
          entry.parents[2].b[0] == 9);
    CHECK(entry.sent_at == PARTY_NOW && entry.kind == SIGNET_KIND_TEXT);
    CHECK_SPAN(entry.body, "hello bob");
    signet_buf_free(&content);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: the bytes by hand give what the library reads and names. */
static void the_bytes_are_those_of_the_specification(void **state)
{
    struct fixture f = fixture_new();
    struct forged_entry forged = forge_entry(&f.alice, &f.bob, "hello");
    struct signet_buf bytes = forge_entry_bytes(f.library, &forged);
    struct signet_buf content =
        forge_content(f.library, &forged, forge_device_key(f.alice.account), TYP_ENTRY);
    const signet_span parts[] = {signet_span_of("", 1), signet_buf_span(&bytes)};
    struct signet_entry entry;
    struct signet_content view;
    struct signet_id id;

    (void)state;
    CHECK_OK(crypto_sha256(f.library, parts, 2, &id));
    CHECK_OK(open_entry(&f, &content, &entry));
    CHECK(signet_id_equal(&entry.id, &id));
    CHECK(signet_id_is_zero(&entry.previous));
    assert_memory_equal(entry.salt, forged.salt, sizeof(entry.salt));
    CHECK_OK(signet_content_read(signet_buf_span(&content), &view));
    CHECK(signet_span_equal(view.signed_bytes, entry.signed_bytes) && view.card.len == 0);
    CHECK_SPAN(view.body, "hello");
    signet_buf_free(&bytes);
    signet_buf_free(&content);
    fixture_free(&f);
}

/* docs/protocol.md, section 3: each side sends its own card along until the peer names its list. */
static void the_card_travels_beside_the_entry(void **state)
{
    struct fixture f = fixture_new();
    struct signet_entry_draft draft = draft_of(&f, "hello");
    struct signet_channel channel = party_channel(&f.bob, &f.alice);
    struct signet_id old_list = *signet_card_list(party_card(&f.alice)), id;
    struct signet_buf content = {0};
    struct signet_card *old = NULL, *came = NULL;
    struct signet_content view;
    struct signet_entry entry;

    (void)state;
    CHECK_OK(signet_card_read(f.library, signet_card_bytes(party_card(&f.alice)), &old));
    CHECK_OK(signet_account_renew(f.alice.account, PARTY_NOW + 1));
    draft.with_card = true;
    CHECK_OK(signet_entry_sign(f.library, f.alice.account, &draft, &content, &id));
    CHECK_OK(signet_content_read(signet_buf_span(&content), &view));
    CHECK_OK(signet_card_read(f.library, view.card, &came));
    /* With the old card alone the list is not known; with the new one, or its id, it is. */
    channel.peer_card = old;
    CHECK_ERR(signet_entry_open(f.library, signet_buf_span(&content), &channel, &entry),
        SIGNET_ERR_CHANNEL);
    channel.peer_card = came;
    CHECK_OK(signet_entry_open(f.library, signet_buf_span(&content), &channel, &entry));
    channel.peer_card = old;
    channel.peer_lists = signet_card_list(came);
    channel.peer_list_count = 1;
    CHECK_OK(signet_entry_open(f.library, signet_buf_span(&content), &channel, &entry));
    CHECK(!signet_id_equal(&entry.list, &old_list));
    signet_card_free(old);
    signet_card_free(came);
    signet_buf_free(&content);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: entry, salt and body are signed, directly or by their hash. */
static void every_byte_of_content_counts(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf good = party_sign(&f.alice, &f.bob, "hello bob");

    (void)state;
    for (size_t i = 0; i < good.len; i++) {
        struct signet_buf bad = flipped(signet_buf_span(&good), i);
        struct signet_buf part = copy_of(signet_span_of(good.ptr, i));

        CHECK(refusal(&f, &bad) != SIGNET_OK);
        CHECK(refusal(&f, &part) != SIGNET_OK);
        signet_buf_free(&bad);
        signet_buf_free(&part);
    }
    CHECK_OK(refusal(&f, &good));
    signet_buf_free(&good);
    fixture_free(&f);
}

#define ENTRY_REFUSED(change, wanted)                                                              \
    do {                                                                                           \
        struct forged_entry e = forge_entry(&f.alice, &f.bob, "hello");                            \
        struct signet_buf content;                                                                 \
        change;                                                                                    \
        content = forge_content(f.library, &e, forge_device_key(f.alice.account), TYP_ENTRY);      \
        CHECK_ERR(refusal(&f, &content), (wanted));                                                \
        signet_buf_free(&content);                                                                 \
    } while (0)

/* docs/protocol.md, section 8, step 6: what alice herself cannot sign and bob accept. */
static void each_field_is_compared(void **state)
{
    struct fixture f = fixture_new();
    const struct signet_id *carol = signet_account_address(f.carol.account);

    (void)state;
    ENTRY_REFUSED((void)e, SIGNET_OK);
    ENTRY_REFUSED(e.conversation.b[0] ^= 1, SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.to[0] = *carol, SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.to_list[0].b[0] ^= 1, SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.device = *signet_account_device(f.carol.account), SIGNET_ERR_SIGNER);
    ENTRY_REFUSED(e.address = *carol, SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.list.b[0] ^= 1, SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.kind = 3, SIGNET_ERR_SUITE);
    ENTRY_REFUSED(e.kind = SIGNET_KIND_HEADS, SIGNET_ERR_FORMAT); /* with a body */
    ENTRY_REFUSED(e.kind = 0, SIGNET_ERR_SUITE);
    ENTRY_REFUSED(e.sent_at = SIGNET_TIME_MAX + 1, SIGNET_ERR_LIMIT);
    ENTRY_REFUSED(e.signed_body = signet_span_str("other"), SIGNET_ERR_AUTH);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: previous is null in sequence 1 only; sequences count from 1. */
static void the_first_entry_has_none_before_it(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    ENTRY_REFUSED(e.sequence = 0, SIGNET_ERR_FORMAT);
    ENTRY_REFUSED(e.sequence = 2, SIGNET_ERR_FORMAT);
    ENTRY_REFUSED(e.has_previous = true, SIGNET_ERR_FORMAT);
    ENTRY_REFUSED((e.has_previous = true, e.sequence = 0), SIGNET_ERR_FORMAT);
    ENTRY_REFUSED((e.has_previous = true, e.sequence = 2), SIGNET_OK);
    fixture_free(&f);
}

/* Recipients from 1 up, with bob among them where there are enough; rising by address. */
static void name_recipients(struct forged_entry *e, size_t count)
{
    struct signet_id bob = e->to[0], list = e->to_list[0];
    size_t at = 0;

    e->to_count = count;
    for (size_t i = 0; i < count; i++) {
        struct signet_id other = {.b = {0}};

        other.b[0] = (uint8_t)(i * 3);
        e->to[i] = other;
        if (signet_id_compare(&other, &bob) < 0)
            at = i;
    }
    e->to[at] = bob;
    e->to_list[at] = list;
}

/* One more beside the one that is there, at its place. */
static void add_recipient(struct forged_entry *e, const struct signet_id *address)
{
    size_t place = signet_id_compare(address, &e->to[0]) > 0 ? 1 : 0;

    e->to[1] = e->to[0];
    e->to_list[1] = e->to_list[0];
    e->to[place] = *address;
    e->to_count = 2;
}

/* docs/protocol.md, section 7: 1 to 64, rising by address, the sender not among them; section 8: in
 * a conversation of two, one. */
static void recipients_are_in_order_and_not_the_sender(void **state)
{
    struct fixture f = fixture_new();
    struct signet_id alice = *signet_account_address(f.alice.account);

    (void)state;
    ENTRY_REFUSED(name_recipients(&e, 1), SIGNET_OK);
    ENTRY_REFUSED(name_recipients(&e, 64), SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(name_recipients(&e, 65), SIGNET_ERR_LIMIT);
    ENTRY_REFUSED(e.to_count = 0, SIGNET_ERR_FORMAT);
    ENTRY_REFUSED((e.to_count = 2, e.to[1] = e.to[0]), SIGNET_ERR_FORMAT);
    ENTRY_REFUSED((e.to_count = 2, memset(&e.to[1], 0, 32)), SIGNET_ERR_FORMAT);
    ENTRY_REFUSED(add_recipient(&e, &alice), SIGNET_ERR_FORMAT);
    ENTRY_REFUSED(add_recipient(&e, signet_account_address(f.carol.account)), SIGNET_ERR_CHANNEL);
    ENTRY_REFUSED(e.to[0] = alice, SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: at most 8, rising. */
static void parents_are_in_order(void **state)
{
    struct fixture f = fixture_new();

    (void)state;
    for (size_t count = 0; count <= SIGNET_PARENTS_MAX + 1; count++) {
        ENTRY_REFUSED(
            do {
                e.parent_count = count;
                for (size_t i = 0; i < count; i++)
                    e.parents[i].b[0] = (uint8_t)i;
            } while (0),
            count <= SIGNET_PARENTS_MAX ? SIGNET_OK : SIGNET_ERR_LIMIT);
    }
    ENTRY_REFUSED(e.parent_count = 2, SIGNET_ERR_FORMAT); /* twice the same */
    ENTRY_REFUSED((e.parent_count = 2, e.parents[0].b[0] = 1), SIGNET_ERR_FORMAT);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: 1..65536 bytes of UTF-8. */
static void a_text_is_utf8_of_some_length(void **state)
{
    struct fixture f = fixture_new();
    struct signet_buf longest = {0};
    signet_span body;

    (void)state;
    CHECK_OK(signet_buf_fill(&longest, 'x', SIGNET_TEXT_MAX + 1));
    body = signet_span_of(longest.ptr, SIGNET_TEXT_MAX);
    ENTRY_REFUSED((e.body = body, e.signed_body = body), SIGNET_OK);
    body.len++;
    ENTRY_REFUSED((e.body = body, e.signed_body = body), SIGNET_ERR_LIMIT);
    body.len = 0;
    ENTRY_REFUSED((e.body = body, e.signed_body = body), SIGNET_ERR_FORMAT);
    body = signet_span_str("\xff\xfe");
    ENTRY_REFUSED((e.body = body, e.signed_body = body), SIGNET_ERR_FORMAT);
    body = signet_span_str("\xed\xa0\x80"); /* a surrogate */
    ENTRY_REFUSED((e.body = body, e.signed_body = body), SIGNET_ERR_FORMAT);
    signet_buf_free(&longest);
    fixture_free(&f);
}

#define DRAFT_REFUSED(change)                                                                      \
    do {                                                                                           \
        struct signet_entry_draft draft = draft_of(&f, "hello");                                   \
        change;                                                                                    \
        CHECK_ERR(signet_entry_sign(f.library, f.alice.account, &draft, &content, &id),            \
            SIGNET_ERR_ARGUMENT);                                                                  \
        CHECK(content.len == 0 && id.b[0] == 77);                                                  \
    } while (0)

/* entry.h: nothing is signed that nobody would accept. */
static void a_draft_that_nobody_accepts_is_refused(void **state)
{
    struct fixture f = fixture_new();
    struct signet_id twice[2] = {{.b = {1}}, {.b = {1}}}, id = {.b = {77}};
    struct signet_id many[SIGNET_PARENTS_MAX + 1] = {{.b = {0}}};
    struct signet_buf content = {0}, large = {0};

    (void)state;
    CHECK_OK(signet_buf_fill(&large, 'x', SIGNET_TEXT_MAX + 1));
    DRAFT_REFUSED(draft.body = signet_buf_span(&large));
    DRAFT_REFUSED(draft.body = signet_span_of(NULL, 0));
    DRAFT_REFUSED(draft.body = signet_span_str("\xc0\x80"));
    DRAFT_REFUSED(draft.kind = 3);
    DRAFT_REFUSED(draft.kind = SIGNET_KIND_HEADS); /* with a body */
    DRAFT_REFUSED(draft.sequence = 0);
    DRAFT_REFUSED(draft.sequence = SIGNET_TIME_MAX + 1);
    DRAFT_REFUSED(draft.sent_at = SIGNET_TIME_MAX + 1);
    DRAFT_REFUSED(draft.to = *signet_account_address(f.alice.account));
    DRAFT_REFUSED((draft.parents = twice, draft.parent_count = 2));
    DRAFT_REFUSED((draft.parents = many, draft.parent_count = SIGNET_PARENTS_MAX + 1));
    signet_buf_free(&large);
    fixture_free(&f);
}

/* docs/protocol.md, section 7: SHA-256("signet pair" || lower address || higher address). */
static void a_conversation_has_one_id_for_both(void **state)
{
    struct fixture f = fixture_new();
    struct signet_id low = {.b = {1}}, high = {.b = {2}}, one, other, wanted;
    const signet_span parts[] = {
        signet_span_str("signet pair"), signet_id_span(&low), signet_id_span(&high)};

    (void)state;
    CHECK_OK(crypto_sha256(f.library, parts, 3, &wanted));
    CHECK_OK(signet_conversation_pair(f.library, &low, &high, &one));
    CHECK_OK(signet_conversation_pair(f.library, &high, &low, &other));
    CHECK(signet_id_equal(&one, &wanted) && signet_id_equal(&other, &wanted));
    CHECK_ERR(signet_conversation_pair(f.library, &low, &low, &one), SIGNET_ERR_ARGUMENT);
    fixture_free(&f);
}

TEST_FILE(entry)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_opens_as_it_was_signed),
        cmocka_unit_test(the_bytes_are_those_of_the_specification),
        cmocka_unit_test(the_card_travels_beside_the_entry),
        cmocka_unit_test(every_byte_of_content_counts),
        cmocka_unit_test(each_field_is_compared),
        cmocka_unit_test(the_first_entry_has_none_before_it),
        cmocka_unit_test(recipients_are_in_order_and_not_the_sender),
        cmocka_unit_test(parents_are_in_order),
        cmocka_unit_test(a_text_is_utf8_of_some_length),
        cmocka_unit_test(a_draft_that_nobody_accepts_is_refused),
        cmocka_unit_test(a_conversation_has_one_id_for_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
