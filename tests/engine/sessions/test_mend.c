/* The session of a tag is found where tags are damaged, too. docs/protocol.md, section 6. */
#include "tests/support/txn_rig.h"

/* A session with Bob, stored and committed; its transcript. */
static struct signet_id store(struct txn_rig *rig, uint64_t received_at)
{
    struct signet_session *session = txn_rig_answered(rig, &rig->bob, received_at, 0);
    struct signet_id transcript = *signet_session_transcript(session);

    CHECK_OK(sessions_save(&rig->t, session));
    txn_rig_commit(rig);
    return transcript;
}

static void open_rig(struct txn_rig *rig, uint64_t seed)
{
    txn_rig_open(rig, seed);
    party_publish(&rig->bob, 1);
}

/* The sessions know their tags: one whose record is damaged is only a detour. */
static void damaged_tags_are_mended_from_the_sessions(void **state)
{
    struct signet_tag tags[SIGNET_SESSION_TAGS_MAX], unknown = {{9}};
    struct signet_id transcript, found;
    struct session_slot *slot;
    size_t count;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 706);
    transcript = store(&rig, PARTY_NOW + 1);
    CHECK_OK(sessions_load(&rig.t, &transcript, &slot));
    CHECK_OK(signet_session_tags(slot->session, tags, &count));
    CHECK_OK(sessions_find_tag(&rig.t, &tags[0], &found));
    CHECK(signet_id_equal(&found, &transcript) && !rig.sessions.has_mended_tags);
    CHECK(memory_records_damage(rig.records, RECORD_TAG) == count);
    txn_rig_restart(&rig);
    CHECK_OK(sessions_find_tag(&rig.t, &tags[0], &found));
    CHECK(signet_id_equal(&found, &transcript));
    txn_rig_commit(&rig);
    CHECK(memory_records_remove(rig.records, RECORD_TAG) == count);
    txn_rig_restart(&rig);
    CHECK_OK(sessions_find_tag(&rig.t, &tags[count - 1], &found));
    CHECK(signet_id_equal(&found, &transcript));
    CHECK_ERR(sessions_find_tag(&rig.t, &unknown, &found), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

/* Strangers can name as many unknown tags as they like. */
static void unknown_tags_make_us_look_once(void **state)
{
    struct signet_tag unknown = {{9}};
    struct signet_id found;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 707);
    (void)store(&rig, PARTY_NOW + 1);
    CHECK_ERR(sessions_find_tag(&rig.t, &unknown, &found), SIGNET_ERR_UNKNOWN);
    CHECK(rig.sessions.has_mended_tags);
    /* Whoever looked through the sessions again would stop at the disk. */
    rig.t.records.scan = NULL;
    CHECK_ERR(sessions_find_tag(&rig.t, &unknown, &found), SIGNET_ERR_UNKNOWN);
    txn_rig_close(&rig);
}

/* Its session is gone: it is not looked for again. */
static void a_damaged_tag_of_no_session_is_forgotten(void **state)
{
    struct signet_tag tag = {{9}};
    struct record_key key = {RECORD_TAG, signet_span_of(tag.b, sizeof(tag.b)), 0};
    struct signet_id found;
    struct txn_rig rig;

    (void)state;
    open_rig(&rig, 717);
    CHECK_OK(txn_put(&rig.t, &key, signet_span_str("tag")));
    txn_rig_commit(&rig);
    CHECK(memory_records_damage(rig.records, RECORD_TAG) == 1);
    CHECK_ERR(sessions_find_tag(&rig.t, &tag, &found), SIGNET_ERR_UNKNOWN);
    CHECK(!txn_rig_has(&rig, RECORD_TAG, key.name, 0));
    txn_rig_close(&rig);
}

TEST_FILE(mend)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_tags_are_mended_from_the_sessions),
        cmocka_unit_test(unknown_tags_make_us_look_once),
        cmocka_unit_test(a_damaged_tag_of_no_session_is_forgotten),
    };

    return cmocka_run_group_tests_name("mend", tests, NULL, NULL);
}
