/*
 * Wycheproof's vectors, every case of every file, through lib/crypto. A case either comes out as
 * the file says, or is refused on purpose for a named reason that shows in its input, or fails.
 *
 * The folder is $SIGNET_VECTORS or else ../shared/vectors beside the sources.
 */
#include "tests/support/crypto_unit.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "crypto/oaep.h"

/* What a case comes to: one of these two, or the reason of a refusal. */
static const char passed[] = "passed";
static const char mismatch[] = "mismatch";

static const char *passed_if(bool condition)
{
    return condition ? passed : mismatch;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL)
        fail_msg("no field %s", name);
    return text;
}

static struct signet_buf bytes_of(const json_t *object, const char *name)
{
    return from_hex(text_of(object, name));
}

static bool is_valid(const json_t *test)
{
    return strcmp(text_of(test, "result"), "invalid") != 0;
}

static bool field_is(const json_t *object, const char *name, long long wanted)
{
    return json_integer_value(json_object_get(object, name)) == wanted;
}

/* ---- one function per kind of file: gets a group and one of its tests ---- */

static const char *open_and_seal(struct signet_library *library, const json_t *test)
{
    struct signet_buf key_bytes = bytes_of(test, "key");
    struct signet_buf nonce = bytes_of(test, "iv");
    struct signet_buf ad = bytes_of(test, "aad");
    struct signet_buf plaintext = bytes_of(test, "msg");
    struct signet_buf sealed = bytes_of(test, "ct");
    struct signet_buf tag = bytes_of(test, "tag");
    struct signet_buf opened = {0};
    struct signet_buf again = {0};
    struct crypto_aead_key key;
    enum signet_err err;
    bool good;

    memcpy(key.key, key_bytes.ptr, sizeof(key.key));
    memcpy(key.nonce, nonce.ptr, sizeof(key.nonce));
    CHECK_OK(signet_buf_append(&sealed, signet_buf_span(&tag)));
    err = crypto_aead_open(library, &key, signet_buf_span(&ad), signet_buf_span(&sealed), &opened);
    CHECK_OK(
        crypto_aead_seal(library, &key, signet_buf_span(&ad), signet_buf_span(&plaintext), &again));
    if (is_valid(test))
        good = err == SIGNET_OK &&
               signet_span_equal(signet_buf_span(&opened), signet_buf_span(&plaintext)) &&
               signet_span_equal(signet_buf_span(&again), signet_buf_span(&sealed));
    else
        good = err == SIGNET_ERR_AUTH && opened.len == 0 &&
               !signet_span_equal(signet_buf_span(&again), signet_buf_span(&sealed));
    signet_buf_free(&key_bytes);
    signet_buf_free(&nonce);
    signet_buf_free(&ad);
    signet_buf_free(&plaintext);
    signet_buf_free(&sealed);
    signet_buf_free(&tag);
    signet_buf_free(&opened);
    signet_buf_free(&again);
    return passed_if(good);
}

static const char *run_aead(struct signet_library *library, const json_t *group, const json_t *test)
{
    if (!field_is(group, "keySize", CRYPTO_AEAD_KEY_LEN * 8))
        return "key other than 256 bits";
    if (!field_is(group, "ivSize", CRYPTO_AEAD_NONCE_LEN * 8))
        return "nonce other than 96 bits";
    if (!field_is(group, "tagSize", CRYPTO_AEAD_TAG_LEN * 8))
        return "tag other than 128 bits";
    return open_and_seal(library, test);
}

static const char *run_hkdf(struct signet_library *library, const json_t *group, const json_t *test)
{
    struct signet_buf secret = bytes_of(test, "ikm");
    struct signet_buf salt = bytes_of(test, "salt");
    struct signet_buf info = bytes_of(test, "info");
    struct signet_buf wanted = bytes_of(test, "okm");
    static uint8_t okm[2 * CRYPTO_EXPAND_MAX];
    size_t len = (size_t)json_integer_value(json_object_get(test, "size"));
    struct crypto_prk prk;
    enum signet_err err;
    bool good;

    (void)group;
    CHECK(len <= sizeof(okm));
    CHECK_OK(crypto_hkdf_extract(library, signet_buf_span(&salt), signet_buf_span(&secret), &prk));
    err = crypto_hkdf_expand(library, &prk, signet_buf_span(&info), signet_span_of(NULL, 0),
        (struct crypto_out){okm, len});
    if (is_valid(test))
        good = err == SIGNET_OK &&
               signet_span_equal(signet_span_of(okm, len), signet_buf_span(&wanted));
    else
        good = err == SIGNET_ERR_ARGUMENT;
    signet_buf_free(&secret);
    signet_buf_free(&salt);
    signet_buf_free(&info);
    signet_buf_free(&wanted);
    return passed_if(good);
}

/* A tag of 128 bits is the front of the one of 256 (RFC 2104, section 5). */
static const char *run_hmac(struct signet_library *library, const json_t *group, const json_t *test)
{
    struct signet_buf key = bytes_of(test, "key");
    struct signet_buf data = bytes_of(test, "msg");
    struct signet_buf tag = bytes_of(test, "tag");
    uint8_t mac[CRYPTO_MAC_LEN];
    bool equal;

    CHECK(tag.len <= sizeof(mac) && field_is(group, "tagSize", (long long)tag.len * 8));
    CHECK_OK(crypto_hmac(library, signet_buf_span(&key), signet_buf_span(&data), mac));
    equal = signet_span_equal(signet_span_of(mac, tag.len), signet_buf_span(&tag));
    signet_buf_free(&key);
    signet_buf_free(&data);
    signet_buf_free(&tag);
    return passed_if(equal == is_valid(test));
}

static const char *run_oaep(struct signet_library *library, const json_t *group, const json_t *test)
{
    struct signet_buf pkcs8 = bytes_of(group, "privateKeyPkcs8");
    struct signet_buf ciphertext = bytes_of(test, "ct");
    struct signet_buf wanted = bytes_of(test, "msg");
    bool has_label = text_of(test, "label")[0] != '\0';
    struct crypto_rsa_private *key = NULL;
    struct signet_buf plain = {0};
    bool held = false;
    enum signet_err err;
    bool good;

    CHECK_OK(crypto_rsa_private_read(library, signet_buf_span(&pkcs8), &key));
    err = oaep_decrypt(key, signet_buf_span(&ciphertext), &plain, &held);
    if (is_valid(test) && !has_label)
        good = err == SIGNET_OK && held &&
               signet_span_equal(signet_buf_span(&plain), signet_buf_span(&wanted));
    else
        good = (err == SIGNET_OK || err == SIGNET_ERR_FORMAT) && !held && plain.len == 0;
    crypto_rsa_private_free(key);
    signet_buf_free(&pkcs8);
    signet_buf_free(&ciphertext);
    signet_buf_free(&wanted);
    signet_buf_free(&plain);
    if (good && is_valid(test) && has_label)
        return "OAEP label not empty";
    return passed_if(good);
}

static const char *run_pss(struct signet_library *library, const json_t *group, const json_t *test)
{
    struct signet_buf spki = bytes_of(group, "publicKeyDer");
    struct signet_buf message = bytes_of(test, "msg");
    struct signet_buf signature = bytes_of(test, "sig");
    struct crypto_rsa_public *key = NULL;
    enum signet_err err;

    CHECK_OK(crypto_rsa_public_read(library, signet_buf_span(&spki), &key));
    err = crypto_rsa_verify(key, signet_buf_span(&message), signet_buf_span(&signature));
    crypto_rsa_public_free(key);
    signet_buf_free(&spki);
    signet_buf_free(&message);
    signet_buf_free(&signature);
    return passed_if(err == (is_valid(test) ? SIGNET_OK : SIGNET_ERR_AUTH));
}

static const char *run_x25519(
    struct signet_library *library, const json_t *group, const json_t *test)
{
    static const uint8_t zeros[CRYPTO_DH_LEN];
    struct signet_buf scalar = bytes_of(test, "private");
    struct signet_buf point = bytes_of(test, "public");
    struct signet_buf wanted = bytes_of(test, "shared");
    struct crypto_dh_private ours;
    struct crypto_dh_public theirs;
    struct crypto_dh_shared shared;
    enum signet_err err;
    bool is_zero;
    bool good;

    (void)group;
    CHECK(scalar.len == sizeof(ours.k) && point.len == sizeof(theirs.k));
    CHECK(wanted.len == sizeof(shared.k) && is_valid(test));
    memcpy(ours.k, scalar.ptr, sizeof(ours.k));
    memcpy(theirs.k, point.ptr, sizeof(theirs.k));
    err = crypto_dh_agree(library, &ours, &theirs, &shared);
    is_zero = memcmp(wanted.ptr, zeros, sizeof(zeros)) == 0;
    if (is_zero)
        good = err == SIGNET_ERR_KEY;
    else
        good = err == SIGNET_OK && memcmp(shared.k, wanted.ptr, sizeof(shared.k)) == 0;
    signet_buf_free(&scalar);
    signet_buf_free(&point);
    signet_buf_free(&wanted);
    return good && is_zero ? "shared secret all zero" : passed_if(good);
}

static const char *run_mlkem(
    struct signet_library *library, const json_t *group, const json_t *test)
{
    (void)library;
    (void)group;
    (void)test;
    return "ML-KEM-768: not offered by this OpenSSL, suite 2 is not in this version";
}

/* ---- the files ---- */

struct vector_file {
    const char *name;
    const char *(*run)(struct signet_library *library, const json_t *group, const json_t *test);
};

static const struct vector_file files[] = {
    {"aes_gcm_test.json", run_aead},
    {"hkdf_sha256_test.json", run_hkdf},
    {"hmac_sha256_test.json", run_hmac},
    {"mlkem_768_encaps_test.json", run_mlkem},
    {"mlkem_768_test.json", run_mlkem},
    {"rsa_oaep_2048_sha256_mgf1sha256_test.json", run_oaep},
    {"rsa_oaep_3072_sha256_mgf1sha256_test.json", run_oaep},
    {"rsa_oaep_4096_sha256_mgf1sha256_test.json", run_oaep},
    {"rsa_pss_2048_sha256_mgf1_32_test.json", run_pss},
    {"rsa_pss_3072_sha256_mgf1_32_test.json", run_pss},
    {"rsa_pss_4096_sha256_mgf1_32_test.json", run_pss},
    {"x25519_test.json", run_x25519},
};
enum { FILE_COUNT = sizeof(files) / sizeof(files[0]), REASONS_MAX = 8 };

struct tally {
    size_t passed, mismatched;
    const char *reasons[REASONS_MAX];
    size_t refused[REASONS_MAX];
};

static void count(struct tally *tally, const char *outcome)
{
    size_t i = 0;

    if (outcome == passed) {
        tally->passed++;
        return;
    }
    if (outcome == mismatch) {
        tally->mismatched++;
        return;
    }
    while (tally->reasons[i] != NULL && strcmp(tally->reasons[i], outcome) != 0)
        if (++i == REASONS_MAX)
            fail_msg("too many reasons");
    tally->reasons[i] = outcome;
    tally->refused[i]++;
}

/* One line per file, and every case in it: passed, refused for a reason, or a failure. */
static void check_tally(const char *name, const struct tally *tally, size_t announced)
{
    size_t seen = tally->passed + tally->mismatched;

    print_message("# %s: %zu cases, %zu passed", name, announced, tally->passed);
    for (size_t i = 0; i < REASONS_MAX && tally->reasons[i] != NULL; i++) {
        print_message(", %zu refused (%s)", tally->refused[i], tally->reasons[i]);
        seen += tally->refused[i];
    }
    print_message("\n");
    if (tally->mismatched > 0)
        fail_msg("%s: %zu cases do not come out as they must", name, tally->mismatched);
    if (seen != announced || seen == 0)
        fail_msg("%s: %zu cases announced, %zu seen", name, announced, seen);
}

static const char *vectors_folder(void)
{
    const char *folder = getenv("SIGNET_VECTORS");

    return folder == NULL || folder[0] == '\0' ? VECTORS_DEFAULT : folder;
}

static void run_file(struct signet_library *library, const struct vector_file *file)
{
    struct tally tally = {0};
    char path[PATH_MAX];
    json_error_t error;
    json_t *root, *groups, *group, *test;
    size_t i, j;

    (void)snprintf(path, sizeof(path), "%s/wycheproof/%s", vectors_folder(), file->name);
    root = json_load_file(path, 0, &error);
    if (root == NULL)
        fail_msg("%s: %s", path, error.text);
    groups = json_object_get(root, "testGroups");
    json_array_foreach(groups, i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            const char *outcome = file->run(library, group, test);

            if (outcome == mismatch)
                print_message("# %s: case %lld\n", file->name,
                    (long long)json_integer_value(json_object_get(test, "tcId")));
            count(&tally, outcome);
        }
    }
    check_tally(
        file->name, &tally, (size_t)json_integer_value(json_object_get(root, "numberOfTests")));
    json_decref(root);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < FILE_COUNT; i++)
        if (strcmp(files[i].name, name) == 0)
            return true;
    return false;
}

static void every_case_comes_out_as_published_or_is_refused_by_name(void **state)
{
    char path[PATH_MAX];
    struct dirent *entry;
    DIR *folder;

    (void)snprintf(path, sizeof(path), "%s/wycheproof", vectors_folder());
    folder = opendir(path);
    if (folder == NULL) {
        print_message("# skipped: no vectors in %s\n", path);
        skip();
    }
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.' && !is_known(entry->d_name))
            fail_msg("%s is a file that nothing here runs", entry->d_name);
    (void)closedir(folder);
    for (size_t i = 0; i < FILE_COUNT; i++)
        run_file(*state, &files[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_comes_out_as_published_or_is_refused_by_name),
    };

    return cmocka_run_group_tests_name("wycheproof", tests, library_setup, library_teardown);
}
