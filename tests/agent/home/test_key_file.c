/* client: the keys of a home, in files: sealed with a passphrase or not, and the next identity's. */
#include "tests/support/home_rig.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "agent/home/key_file.h"
#include "agent/home/private_file.h"
#include "tests/support/crypto_unit.h"

/* Without a terminal nobody types a passphrase: the key is in a file that its owner alone reads. */
static void without_a_person_the_key_is_a_file_for_its_owner(void **state)
{
    struct home_rig *rig = home_rig_new(state);

    CHECK_OK(home_create(&rig->place, &rig->home));
    home_rig_check_said(rig, "no passphrase: whoever can read");
    assert_string_equal(home_path(rig->home), rig->folder);
    CHECK(!home_rig_has(rig, "key.sealed"));
    home_rig_check_mode(rig, "", 0700);
    home_rig_check_mode(rig, "key", 0600);
    home_rig_check_mode(rig, "store.db", 0600);
    home_rig_check_mode(rig, "lock", 0600);
    home_rig_put_account(rig);
    home_rig_close(rig);
    home_rig_check_opens(rig);
    CHECK(rig->person.asked == 0);
    home_rig_free(rig);
}

static void a_passphrase_seals_the_key(void **state)
{
    static const char *const new_answers[] = {"corn", "horn", "correct horse", "correct horse"};
    static const char *const wrong[] = {"incorrect horse"}, *const right[] = {"correct horse"};
    static const char *const empty[] = {""};
    struct home_rig *rig = home_rig_new(state);

    rig->person = (struct home_person){.is_present = true, .answers = new_answers};
    CHECK_OK(home_create(&rig->place, &rig->home));
    home_rig_check_said(rig, "the two differ");
    CHECK(rig->person.asked == 4);
    CHECK(!home_rig_has(rig, "key"));
    home_rig_check_mode(rig, "key.sealed", 0600);
    home_rig_put_account(rig);
    home_rig_close(rig);
    /* Asked also where input is not from a terminal: somebody must. */
    rig->person = (struct home_person){.answers = right};
    home_rig_check_opens(rig);
    rig->person.answers = wrong;
    home_rig_check_refused(rig, SIGNET_ERR_AUTH, "signet: wrong passphrase or damaged key file\n");
    rig->person.answers = empty;
    home_rig_check_refused(rig, SIGNET_ERR_AUTH, "signet: wrong passphrase or damaged key file\n");
    rig->person.answers = NULL;
    home_rig_check_refused(rig, SIGNET_ERR_STATE, "there is no terminal to ask for it on");
    home_rig_free(rig);
}

static void an_empty_passphrase_is_none(void **state)
{
    static const char *const answers[] = {"", NULL};
    struct home_rig *rig = home_rig_new(state);

    rig->person = (struct home_person){.is_present = true, .answers = answers};
    home_rig_make(rig);
    CHECK(rig->person.asked == 1);
    CHECK(home_rig_has(rig, "key") && !home_rig_has(rig, "key.sealed"));
    home_rig_check_opens(rig);
    CHECK(rig->person.asked == 0);
    home_rig_free(rig);
}

static void passphrases_that_keep_differing_end_the_attempt(void **state)
{
    static const char *const answers[] = {"1", "2", "3", "4", "5", "6"};
    struct home_rig *rig = home_rig_new(state);

    rig->person = (struct home_person){.is_present = true, .answers = answers};
    CHECK_ERR(home_create(&rig->place, &rig->home), SIGNET_ERR_ARGUMENT);
    home_rig_check_said(rig, "differed 3 times");
    CHECK(!home_rig_has(rig, "key") && !home_rig_has(rig, "key.sealed"));
    home_rig_free(rig);
}

/* MEGA (2022) took wrapped keys that a server had changed: here any flipped bit is refused. */
static void a_flipped_bit_in_the_sealed_key_is_refused(void **state)
{
    static const size_t places[] = {0, 7, 9, 24, 40, 72};
    const struct store_key key = {{42}};
    struct store_key read = {{0}};
    signet_span passphrase = signet_span_str("correct horse");
    struct signet_buf file = {0};

    CHECK_OK(key_sealed_write(*state, passphrase, &key, &file));
    CHECK(file.len == 73);
    /* The cost: below the floor, or beyond what a machine shall be made to do. */
    for (unsigned bit = 0; bit < 8; bit++) {
        file.ptr[8] ^= (uint8_t)(1u << bit);
        CHECK_ERR(
            key_sealed_read(*state, passphrase, signet_buf_span(&file), &read), SIGNET_ERR_AUTH);
        file.ptr[8] ^= (uint8_t)(1u << bit);
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        file.ptr[places[i]] ^= 0x10;
        CHECK_ERR(
            key_sealed_read(*state, passphrase, signet_buf_span(&file), &read), SIGNET_ERR_AUTH);
        file.ptr[places[i]] ^= 0x10;
    }
    CHECK_ERR(
        key_sealed_read(*state, passphrase, signet_span_of(file.ptr, 72), &read), SIGNET_ERR_AUTH);
    CHECK(read.k[0] == 0);
    CHECK_OK(key_sealed_read(*state, passphrase, signet_buf_span(&file), &read));
    CHECK(memcmp(&read, &key, sizeof(key)) == 0);
    signet_buf_free(&file);
}

static void a_damaged_or_missing_key_file_is_told(void **state)
{
    struct home_rig *rig = home_rig_new(state);
    char path[HOME_RIG_PATH_SIZE];

    home_rig_make(rig);
    home_rig_path(rig, "key", path);
    CHECK(chmod(path, 0640) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_STATE, "others can read the key file");
    CHECK(chmod(path, 0600) == 0 && truncate(path, 20) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_FORMAT, "is damaged");
    CHECK(unlink(path) == 0);
    home_rig_check_refused(rig, SIGNET_ERR_FORMAT, "is missing; put the right one back");
    CHECK_OK(private_file_create(path,
        signet_span_str("0000000000000000000000000000000000000000000000000000000000000000\n")));
    home_rig_check_refused(rig, SIGNET_ERR_AUTH, "the key does not belong to the store");
    home_rig_free(rig);
}

/* RFC 7468: what was written is what OpenSSL reads. */
static void the_next_identity_key_is_written_as_pem(void **state)
{
    struct home_rig *rig = home_rig_new(state);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), *read = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    char *path = NULL;
    FILE *file;

    CHECK(len > 0);
    CHECK_OK(home_create(&rig->place, &rig->home));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(home_next_identity_write(rig->home, signet_span_of(der, (size_t)len), &path));
        CHECK(strstr(path, "/next-identity.key") != NULL);
        file = fopen(path, "r");
        free(path);
        CHECK(file != NULL);
        read = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        CHECK(read != NULL && EVP_PKEY_eq(key, read) == 1);
        CHECK(fclose(file) == 0);
        EVP_PKEY_free(read);
    }
    home_rig_check_mode(rig, "next-identity.key", 0600);
    /* Older ones are kept. */
    CHECK(home_rig_has(rig, "next-identity.1.key") && home_rig_has(rig, "next-identity.2.key"));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
    home_rig_free(rig);
}

static void check_pem(signet_span bytes, const char *wanted)
{
    struct signet_buf pem = {0};

    CHECK_OK(key_pem_write(bytes, &pem));
    CHECK_SPAN(signet_buf_span(&pem), wanted);
    signet_buf_free(&pem);
}

/* RFC 4648, section 10: its examples. */
static void pem_pads_as_base64_demands(void **state)
{
    (void)state;
    check_pem(
        signet_span_str("f"), "-----BEGIN PRIVATE KEY-----\nZg==\n-----END PRIVATE KEY-----\n");
    check_pem(signet_span_str("fooba"),
        "-----BEGIN PRIVATE KEY-----\nZm9vYmE=\n-----END PRIVATE KEY-----\n");
    check_pem(signet_span_str("foobarfoobarfoobarfoobarfoobarfoobarfoobarfoobar+"),
        "-----BEGIN PRIVATE KEY-----\n"
        "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFy\n"
        "Kw==\n-----END PRIVATE KEY-----\n");
}

TEST_FILE(key_file)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_person_the_key_is_a_file_for_its_owner),
        cmocka_unit_test(a_passphrase_seals_the_key),
        cmocka_unit_test(an_empty_passphrase_is_none),
        cmocka_unit_test(passphrases_that_keep_differing_end_the_attempt),
        cmocka_unit_test(a_flipped_bit_in_the_sealed_key_is_refused),
        cmocka_unit_test(a_damaged_or_missing_key_file_is_told),
        cmocka_unit_test(the_next_identity_key_is_written_as_pem),
        cmocka_unit_test(pem_pads_as_base64_demands),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
