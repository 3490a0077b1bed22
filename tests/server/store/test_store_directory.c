/* The relay's store: names, cards, invitations and prekeys through store_ops. */
#include "tests/support/store_rig.h"

#include <stdio.h>

/* ---- the directory ---- */

static struct store_op *find(struct rig *rig, const char *name, unsigned address)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_FIND);

    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    op->address = rig_id(address);
    return rig_one(rig, group);
}

static void an_account_is_found_by_name_and_by_address(void **state)
{
    struct rig *rig = *state;
    struct signet_id address = rig_id(1);
    struct store_op *op;

    rig_register(rig, "alice", 1, 10);
    op = find(rig, "alice", 0);
    CHECK(op->answer == STORE_OK && signet_id_equal(&op->address, &address));
    CHECK_SPAN(signet_buf_span(&op->card), "alice");
    op = find(rig, "", 1);
    CHECK(op->answer == STORE_OK);
    assert_string_equal(op->name, "alice");
    CHECK(find(rig, "bob", 0)->answer == STORE_GONE);
    CHECK(find(rig, "", 2)->answer == STORE_GONE);
}

/* Register with a token (0: none) that need not be good. */
static enum store_answer try_register(
    struct rig *rig, const char *name, unsigned address, unsigned device, unsigned token)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_REGISTER);

    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    op->address = rig_id(address);
    op->list = rig_id(address + 1);
    op->card_version = 1;
    op->devices[op->device_count++] = rig_id(device);
    if (token != 0)
        rig_token(op, token);
    CHECK_OK(signet_buf_append(&op->card, signet_span_str(name)));
    return rig_one(rig, group)->answer;
}

static enum store_answer check_token(struct rig *rig, const char *name, unsigned token)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_INVITE_CHECK);

    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    if (token != 0)
        rig_token(op, token);
    return rig_one(rig, group)->answer;
}

static void add_invite(
    struct rig *rig, unsigned token, uint64_t uses, uint64_t expires_ms, bool for_operator)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_INVITE_ADD);

    rig_token(op, token);
    op->uses = uses;
    op->expires_ms = expires_ms;
    op->for_operator = for_operator;
    CHECK(rig_one(rig, group)->answer == STORE_OK);
}

/* protocol.md, section 9: a name is never given to another account. */
static void a_name_an_address_and_a_device_belong_to_one_account(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    add_invite(rig, 7, 100, 0, false);
    CHECK(try_register(rig, "alice", 2, 20, 7) == STORE_TAKEN);
    CHECK(try_register(rig, "alice2", 1, 20, 7) == STORE_TAKEN);
    CHECK(try_register(rig, "mallory", 2, 10, 7) == STORE_TAKEN);
    CHECK(find(rig, "mallory", 0)->answer == STORE_GONE);
    CHECK(try_register(rig, "mallory", 2, 20, 7) == STORE_OK);
}

/* protocol.md, section 9: the same name and address again is done, though its invitation is used
 * up; with another card nothing changes. */
static void a_registration_that_is_repeated_is_done(void **state)
{
    struct rig *rig = *state;

    add_invite(rig, 7, 1, 0, false);
    CHECK(try_register(rig, "alice", 1, 10, 7) == STORE_OK);
    CHECK(try_register(rig, "alice", 1, 10, 7) == STORE_OK);
    CHECK(try_register(rig, "alice", 1, 11, 7) == STORE_OK);
    CHECK(rig_put(rig, 11, 1, "x") == STORE_GONE && rig_put(rig, 10, 1, "x") == STORE_OK);
    CHECK(try_register(rig, "bob", 2, 20, 7) == STORE_INVITATION);
    CHECK(check_token(rig, "", 7) == STORE_INVITATION);
}

static void an_invitation_is_good_for_its_uses_and_time(void **state)
{
    struct rig *rig = *state;

    CHECK(check_token(rig, "", 0) == STORE_INVITATION);
    CHECK(try_register(rig, "alice", 1, 10, 7) == STORE_INVITATION);
    add_invite(rig, 7, 2, rig->now_ms + 100, false);
    CHECK(check_token(rig, "", 7) == STORE_OK && check_token(rig, "", 8) == STORE_INVITATION);
    CHECK(try_register(rig, "alice", 1, 10, 7) == STORE_OK);
    CHECK(check_token(rig, "bob", 7) == STORE_OK);
    rig->now_ms += 100;
    CHECK(check_token(rig, "bob", 7) == STORE_INVITATION);
    CHECK(try_register(rig, "bob", 2, 20, 7) == STORE_INVITATION);
    rig->now_ms--;
    CHECK(try_register(rig, "bob", 2, 20, 7) == STORE_OK);
    CHECK(try_register(rig, "carol", 3, 30, 7) == STORE_INVITATION);
    /* A token that is submitted once more, because the answer was lost, does not count twice. */
    add_invite(rig, 9, 1, 0, false);
    add_invite(rig, 9, 1, 0, false);
    CHECK(try_register(rig, "carol", 3, 30, 9) == STORE_OK);
    CHECK(try_register(rig, "mallory", 4, 40, 9) == STORE_INVITATION);
}

/* protocol.md, section 9: `operator` needs the operator's invitation. */
static void the_operator_is_registered_by_its_own_invitation_only(void **state)
{
    struct rig *rig = *state;

    add_invite(rig, 7, 9, 0, false);
    add_invite(rig, 8, 1, 0, true);
    CHECK(check_token(rig, "operator", 7) == STORE_NAME);
    CHECK(check_token(rig, "alice", 8) == STORE_NAME);
    CHECK(check_token(rig, "operator", 9) == STORE_INVITATION); /* there is no such token */
    CHECK(check_token(rig, "", 8) == STORE_OK && check_token(rig, "operator", 8) == STORE_OK);
    CHECK(try_register(rig, "operator", 1, 10, 7) == STORE_NAME);
    CHECK(try_register(rig, "alice", 1, 10, 8) == STORE_NAME);
    rig->limits.open_registration = true;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    CHECK(try_register(rig, "operator", 1, 10, 0) == STORE_INVITATION);
    CHECK(try_register(rig, "bob", 2, 20, 0) == STORE_OK);
    rig->limits.closed_registration = true;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    CHECK(try_register(rig, "carol", 3, 30, 7) == STORE_CLOSED);
    CHECK(try_register(rig, "operator", 1, 10, 8) == STORE_OK);
}

/* A card whose list is rig_id(list), with one or two devices (0: none). */
static enum store_answer put_card(
    struct rig *rig, uint64_t version, unsigned list, unsigned device, unsigned other)
{
    struct store_group *group = rig_group(rig, 0);
    struct store_op *op = rig_op(group, STORE_CARD_PUT);

    op->address = rig_id(1);
    op->list = rig_id(list);
    op->card_generation = version / 10;
    op->card_version = version;
    op->devices[op->device_count++] = rig_id(device);
    if (other != 0)
        op->devices[op->device_count++] = rig_id(other);
    CHECK_OK(signet_buf_append(&op->card, signet_span_str("card ")));
    CHECK_OK(signet_buf_fill(&op->card, (uint8_t)('0' + version), 1));
    return rig_one(rig, group)->answer;
}

static void a_card_replaces_only_an_older_one(void **state)
{
    struct rig *rig = *state;

    CHECK(put_card(rig, 2, 5, 10, 0) == STORE_GONE);
    rig_register(rig, "alice", 1, 10);
    CHECK(put_card(rig, 3, 5, 10, 0) == STORE_OK);
    CHECK(put_card(rig, 3, 5, 10, 0) == STORE_OK); /* the same list again */
    CHECK(put_card(rig, 3, 6, 10, 0) == STORE_STALE);
    CHECK(put_card(rig, 2, 7, 10, 0) == STORE_STALE);
    CHECK_SPAN(signet_buf_span(&find(rig, "alice", 0)->card), "card 3");
    CHECK(put_card(rig, 12, 8, 10, 0) == STORE_OK);
    CHECK(put_card(rig, 9, 9, 10, 0) == STORE_STALE); /* an older generation */
}

static void a_device_that_leaves_the_card_loses_mailbox_and_bundle(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    CHECK(put_card(rig, 2, 5, 10, 20) == STORE_TAKEN); /* bob's */
    CHECK(put_card(rig, 2, 5, 10, 11) == STORE_OK);
    CHECK(rig_bundle(rig, 11, 1, "bundle", 2) == STORE_OK);
    CHECK(rig_put(rig, 11, 1, "cold") == STORE_OK);
    store_sqlite_set_cold_age(rig->store, 0);
    CHECK(!rig_expire(rig, 100));
    CHECK(rig_put(rig, 11, 2, "hot") == STORE_OK && rig_put(rig, 10, 3, "kept") == STORE_OK);
    CHECK(put_card(rig, 3, 6, 10, 0) == STORE_OK);
    CHECK(rig_put(rig, 11, 4, "late") == STORE_GONE);
    CHECK(rig_take(rig, 11, 2)->answer == STORE_GONE);
    assert_string_equal(rig_fetch(rig, 11, 9, 999), "gone");
    CHECK(rig_claim(rig, 11, 1, (struct store_route){0, 1})->answer == STORE_GONE);
    assert_string_equal(rig_fetch(rig, 10, 9, 999), "3:kept");
    /* Back on the card it begins anew. */
    CHECK(put_card(rig, 4, 7, 10, 11) == STORE_OK);
    assert_string_equal(rig_fetch(rig, 11, 9, 999), "");
    CHECK(rig_claim(rig, 11, 1, (struct store_route){0, 1})->bundle.len == 0);
}

static struct store_op *claim_in(struct store_group *group, unsigned device, uint64_t connection)
{
    struct store_op *op = rig_op(group, STORE_CLAIM);

    op->device = rig_id(device);
    op->address = rig_id(1);
    op->route = (struct store_route){0, connection};
    return op;
}

/* The routes of devices that left are in the answer; a login of the same transaction fails. */
static void a_device_that_leaves_the_card_is_logged_out(void **state)
{
    struct rig *rig = *state;
    struct store_group *group;
    struct store_op *claim, *op;

    rig_register(rig, "alice", 1, 10);
    CHECK(put_card(rig, 2, 5, 10, 11) == STORE_OK);
    CHECK(rig_claim(rig, 10, 1, (struct store_route){0, 7})->answer == STORE_OK);
    CHECK(rig_claim(rig, 11, 1, (struct store_route){1, 9})->answer == STORE_OK);
    CHECK(put_card(rig, 3, 6, 10, 0) == STORE_OK);
    op = rig->last->first;
    CHECK(op->removed_count == 1);
    CHECK(op->removed[0].worker == 1 && op->removed[0].connection == 9);
    CHECK(put_card(rig, 4, 7, 10, 11) == STORE_OK);
    CHECK(rig->last->first->removed_count == 0);

    group = rig_group(rig, 0);
    claim = claim_in(group, 11, 10);
    op = rig_op(group, STORE_CARD_PUT);
    op->address = rig_id(1);
    op->list = rig_id(8);
    op->card_version = 5;
    op->devices[op->device_count++] = rig_id(10);
    CHECK(rig_run(rig, group) == STORE_DONE);
    CHECK(op->answer == STORE_OK && claim->answer == STORE_GONE);
}

/* connections_per_account: the login too many is refused, and changes nothing. */
static void an_account_has_only_so_many_logins(void **state)
{
    const struct store_route first = {0, 1}, second = {1, 2}, third = {0, 3};
    struct rig *rig = *state;
    struct store_group *group;
    struct store_op *op, *other;

    rig->limits.connections_per_account = 1;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    rig_register(rig, "alice", 1, 10);
    rig_register(rig, "bob", 2, 20);
    CHECK(put_card(rig, 2, 5, 10, 11) == STORE_OK);
    CHECK(rig_claim(rig, 10, 1, first)->answer == STORE_OK);
    op = rig_claim(rig, 11, 1, second);
    CHECK(op->answer == STORE_OFTEN && op->retry_after_ms > 0 && !op->replaced);
    rig_forget_events(rig);
    CHECK(rig_put(rig, 11, 1, "waits") == STORE_OK && rig->event_count == 1);
    /* Another account's, and the newer login of the same device, are not too many. */
    CHECK(rig_claim(rig, 20, 2, second)->answer == STORE_OK);
    CHECK(rig_claim(rig, 10, 1, third)->replaced);
    rig_release(rig, 10, third);
    /* Two in one transaction: the second is. */
    group = rig_group(rig, 0);
    op = claim_in(group, 11, 4);
    other = claim_in(group, 10, 5);
    CHECK(rig_run(rig, group) == STORE_DONE);
    CHECK(op->answer == STORE_OK && other->answer == STORE_OFTEN);
}

/* ---- prekeys ---- */

static void a_bundle_replaces_only_an_older_one(void **state)
{
    struct rig *rig = *state;

    CHECK(rig_bundle(rig, 10, 1, "one", 2) == STORE_GONE);
    rig_register(rig, "alice", 1, 10);
    CHECK(rig_take(rig, 10, 2)->answer == STORE_GONE);
    CHECK(rig_bundle(rig, 10, 2, "two", 2) == STORE_OK);
    CHECK(rig_take(rig, 10, 2)->has_one_time);
    CHECK(rig_bundle(rig, 10, 2, "two", 2) == STORE_OK); /* again: the batch stays as it is */
    CHECK(rig_take(rig, 10, 3)->one_time.index == 1);
    CHECK(rig_bundle(rig, 10, 2, "other", 2) == STORE_STALE);
    CHECK(rig_bundle(rig, 10, 1, "one", 2) == STORE_STALE);
    CHECK(rig_bundle(rig, 10, 3, "three", 3) == STORE_OK);
    CHECK(rig_claim(rig, 10, 1, (struct store_route){0, 1})->one_time_left == 3);
    CHECK_SPAN(signet_buf_span(&rig_take(rig, 10, 4)->bundle), "three");
}

/* protocol.md, section 4: at most once each, with the path in the tree. */
static void every_one_time_prekey_is_handed_out_once_with_its_path(void **state)
{
    struct rig *rig = *state;
    struct signet_buf keys = {0};

    rig_register(rig, "alice", 1, 10);
    CHECK(rig_bundle(rig, 10, 1, "bundle", 5) == STORE_OK);
    for (size_t i = 0; i < 5; i++)
        CHECK_OK(signet_buf_fill(&keys, (uint8_t)(i + 1), SIGNET_ONE_TIME_KEY_LEN));
    for (uint32_t i = 0; i < 5; i++) {
        struct store_op *op = rig_take(rig, 10, 50 + i);
        struct signet_one_time wanted;

        CHECK_OK(signet_one_time_prove(rig->library, signet_buf_span(&keys), i, &wanted));
        CHECK(op->answer == STORE_OK && op->has_one_time && op->one_time.index == i);
        CHECK(memcmp(op->one_time.key, wanted.key, sizeof(wanted.key)) == 0);
        CHECK(op->one_time.path_len == wanted.path_len);
        CHECK(memcmp(op->one_time.path, wanted.path, wanted.path_len * SIGNET_ID_LEN) == 0);
        CHECK_SPAN(signet_buf_span(&op->bundle), "bundle");
    }
    /* An honest peer always gets a session. */
    CHECK(rig_take(rig, 10, 70)->answer == STORE_OK);
    CHECK(!rig->last->first->has_one_time && rig->last->first->bundle.len > 0);
    signet_buf_free(&keys);
}

static bool takes(struct rig *rig, unsigned requester)
{
    const struct store_op *op = rig_take(rig, 10, requester);

    CHECK(op->answer == STORE_OK && op->bundle.len > 0);
    return op->has_one_time;
}

/* protocol.md, section 10: 1 per requester and target an hour. */
static void a_requester_gets_one_prekey_of_a_device_per_interval(void **state)
{
    struct rig *rig = *state;

    rig->limits.take_interval_ms = 1000;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    rig_register(rig, "alice", 1, 10);
    CHECK(rig_bundle(rig, 10, 1, "bundle", 256) == STORE_OK);
    CHECK(takes(rig, 2) && !takes(rig, 2) && takes(rig, 3));
    CHECK(rig_bundle(rig, 10, 2, "new", 256) == STORE_OK);
    CHECK(!takes(rig, 2)); /* a new batch changes nothing */
    rig->now_ms += 999;
    CHECK(!takes(rig, 2));
    CHECK(!rig_expire(rig, 100));
    CHECK(!takes(rig, 2));
    rig->now_ms++;
    CHECK(takes(rig, 2) && !takes(rig, 2));
    rig->now_ms += 1000;
    CHECK(!rig_expire(rig, 100));
    CHECK(takes(rig, 2));
}

/* protocol.md, section 10: per target a burst, then one per time; arXiv 2504.07323: whoever asks
 * with many accounts does not empty the pool. */
static void a_device_gives_a_burst_of_prekeys_and_then_one_per_time(void **state)
{
    struct rig *rig = *state;
    unsigned given = 0;

    rig->limits.take_burst = 3;
    rig->limits.take_refill_ms = 100;
    rig->store->ops->set_limits(rig->store, &rig->limits);
    rig_register(rig, "alice", 1, 10);
    CHECK(rig_bundle(rig, 10, 1, "bundle", 256) == STORE_OK);
    CHECK(takes(rig, 2) && takes(rig, 3) && takes(rig, 4) && !takes(rig, 5));
    CHECK(rig_bundle(rig, 10, 2, "new", 256) == STORE_OK);
    CHECK(!takes(rig, 5)); /* a new batch is not a new burst */
    rig->now_ms += 99;
    CHECK(!takes(rig, 5));
    rig->now_ms++;
    CHECK(takes(rig, 5) && !takes(rig, 6));
    rig->now_ms -= 5000; /* a clock that is set back gives nothing */
    CHECK(!takes(rig, 6));
    rig->now_ms += 1000000; /* full again, and not fuller */
    for (unsigned i = 0; i < 100; i++)
        given += takes(rig, 100 + i);
    CHECK(given == 3);
}

static void no_prekey_is_spent_on_a_bundle_that_has_expired(void **state)
{
    struct rig *rig = *state;

    rig_register(rig, "alice", 1, 10);
    CHECK(rig_bundle(rig, 10, 1, "bundle", 4) == STORE_OK);
    rig->now_ms += 1000000 + SIGNET_CLOCK_TOLERANCE_MS;
    CHECK(takes(rig, 2));
    rig->now_ms++;
    CHECK(!takes(rig, 3));
}

TEST_FILE(store_directory)
{
    const struct CMUnitTest tests[] = {
        RIG_BOTH(an_account_is_found_by_name_and_by_address),
        RIG_BOTH(a_name_an_address_and_a_device_belong_to_one_account),
        RIG_BOTH(a_registration_that_is_repeated_is_done),
        RIG_BOTH(an_invitation_is_good_for_its_uses_and_time),
        RIG_BOTH(the_operator_is_registered_by_its_own_invitation_only),
        RIG_BOTH(a_card_replaces_only_an_older_one),
        RIG_BOTH(a_device_that_leaves_the_card_loses_mailbox_and_bundle),
        RIG_BOTH(a_device_that_leaves_the_card_is_logged_out),
        RIG_BOTH(an_account_has_only_so_many_logins),
        RIG_BOTH(a_bundle_replaces_only_an_older_one),
        RIG_BOTH(every_one_time_prekey_is_handed_out_once_with_its_path),
        RIG_BOTH(a_requester_gets_one_prekey_of_a_device_per_interval),
        RIG_BOTH(a_device_gives_a_burst_of_prekeys_and_then_one_per_time),
        RIG_BOTH(no_prekey_is_spent_on_a_bundle_that_has_expired),
    };

    return cmocka_run_group_tests_name("store_directory", tests, NULL, NULL);
}
