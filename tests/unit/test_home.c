/* client: homes, their keys and their lock. */
#include "tests/support/record_checks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "client/home.h"
#include "client/key_file.h"
#include "client/private_file.h"
#include "tests/support/crypto_unit.h"

/* ---- a person who answers from a list, and what was reported ---- */

struct person {
    bool is_present;
    const char *const *answers; /* ends with NULL: no terminal */
    size_t asked;
};

static bool person_is_present(void *ctx)
{
    return ((const struct person *)ctx)->is_present;
}

static enum signet_err person_passphrase(void *ctx, const char *prompt, struct signet_buf *out)
{
    struct person *person = ctx;
    const char *answer;

    CHECK(strstr(prompt, ": ") != NULL);
    if (person->answers == NULL || (answer = person->answers[person->asked]) == NULL)
        return SIGNET_ERR_STATE;
    person->asked++;
    return signet_buf_append(out, signet_span_str(answer));
}

struct scene {
    struct person person;
    struct asker asker;
    struct report report;
    struct home_place place;
    char folder[64];
    char *said; /* on standard error */
    size_t said_len;
    struct home *home;
};

static struct scene *scene_new(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    CHECK(scene != NULL);
    (void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/signet-home-XXXXXX");
    CHECK(mkdtemp(scene->folder) != NULL);
    scene->asker = (struct asker){&scene->person, person_is_present, person_passphrase};
    scene->report.err = open_memstream(&scene->said, &scene->said_len);
    CHECK(scene->report.err != NULL);
    scene->place = (struct home_place){scene->folder, *state, &scene->report, &scene->asker};
    return scene;
}

static void file_path(const struct scene *scene, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", scene->folder, name);
}

static void scene_free(struct scene *scene)
{
    char path[384];
    DIR *folder = opendir(scene->folder);
    const struct dirent *entry;

    home_close(scene->home);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", scene->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            CHECK(unlink(path) == 0);
    }
    if (folder != NULL)
        CHECK(closedir(folder) == 0);
    CHECK(rmdir(scene->folder) == 0);
    CHECK(fclose(scene->report.err) == 0);
    free(scene->said);
    free(scene);
}

/* What has been said since the last call must hold the text. */
static void check_said(struct scene *scene, const char *text)
{
    CHECK(fflush(scene->report.err) == 0);
    if (text[0] == '\0' ? scene->said_len != 0
                        : memmem(scene->said, scene->said_len, text, strlen(text)) == NULL)
        fail_msg("said \"%s\", wanted \"%s\"", scene->said, text);
    rewind(scene->report.err);
}

static bool has_file(const struct scene *scene, const char *name)
{
    char path[128];

    file_path(scene, name, path);
    return access(path, F_OK) == 0;
}

static struct record_source source_of(struct scene *scene)
{
    return store_source(home_store(scene->home));
}

static void put_account(struct scene *scene)
{
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct record_batch batch = {0};

    batch_put(&batch, &key, "account");
    CHECK_OK(store_commit(home_store(scene->home), &batch));
    record_batch_clear(&batch);
}

static void close_home(struct scene *scene)
{
    home_close(scene->home);
    scene->home = NULL;
}

static void check_opens(struct scene *scene)
{
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);

    scene->person.asked = 0;
    CHECK_OK(home_open(&scene->place, &scene->home));
    check_value(source_of(scene), &key, "account");
    close_home(scene);
}

static void check_opening(struct scene *scene, enum signet_err wanted, const char *text)
{
    scene->person.asked = 0;
    CHECK_ERR(home_open(&scene->place, &scene->home), wanted);
    CHECK(scene->home == NULL);
    check_said(scene, text);
}

/* A complete home without passphrase. */
static void make_home(struct scene *scene)
{
    CHECK_OK(home_create(&scene->place, &scene->home));
    put_account(scene);
    close_home(scene);
    rewind(scene->report.err);
}

/* ---- tests ---- */

static void check_folder(const char *option, const char *wanted)
{
    char *folder = NULL;

    CHECK_OK(home_folder(option, &folder));
    assert_string_equal(folder, wanted);
    free(folder);
}

/* DESIGN.md, section 5: XDG directories; --home and SIGNET_HOME override. */
static void the_folder_is_found_in_a_fixed_order(void **state)
{
    char *folder = NULL;

    (void)state;
    CHECK(setenv("SIGNET_HOME", "from/env", 1) == 0);
    CHECK(setenv("XDG_DATA_HOME", "/xdg", 1) == 0);
    CHECK(setenv("HOME", "/home/alice", 1) == 0);
    check_folder("given", "given");
    check_folder(NULL, "from/env");
    CHECK(setenv("SIGNET_HOME", "", 1) == 0);
    check_folder(NULL, "/xdg/signet");
    CHECK(setenv("XDG_DATA_HOME", "not/absolute", 1) == 0);
    check_folder(NULL, "/home/alice/.local/share/signet");
    CHECK(unsetenv("HOME") == 0);
    CHECK_ERR(home_folder(NULL, &folder), SIGNET_ERR_UNKNOWN);
    CHECK(folder == NULL);
}

static void check_mode(const struct scene *scene, const char *name, mode_t wanted)
{
    struct stat status;
    char path[128];

    file_path(scene, name, path);
    CHECK(stat(path, &status) == 0);
    CHECK((status.st_mode & 0777) == wanted);
}

/* Decision 20: a 0600 key file when there is no terminal. */
static void without_a_person_the_key_is_a_file_for_its_owner(void **state)
{
    struct scene *scene = scene_new(state);

    CHECK_OK(home_create(&scene->place, &scene->home));
    check_said(scene, "no passphrase: whoever can read");
    assert_string_equal(home_path(scene->home), scene->folder);
    CHECK(!has_file(scene, "key.sealed"));
    check_mode(scene, "", 0700);
    check_mode(scene, "key", 0600);
    check_mode(scene, "store.db", 0600);
    check_mode(scene, "lock", 0600);
    put_account(scene);
    close_home(scene);
    check_opens(scene);
    CHECK(scene->person.asked == 0);
    scene_free(scene);
}

static void missing_folders_above_are_made(void **state)
{
    struct scene *scene = scene_new(state);
    char deep[96], path[128];

    (void)snprintf(deep, sizeof(deep), "%s/a/b/", scene->folder);
    scene->place.folder = deep;
    CHECK_OK(home_create(&scene->place, &scene->home));
    close_home(scene);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"lock", "key", "store.db"};

        (void)snprintf(path, sizeof(path), "%s%s", deep, names[i]);
        CHECK(unlink(path) == 0);
    }
    file_path(scene, "a/b", path);
    CHECK(rmdir(path) == 0);
    file_path(scene, "a", path);
    CHECK(rmdir(path) == 0);
    scene_free(scene);
}

static void a_passphrase_seals_the_key(void **state)
{
    static const char *const new_answers[] = {"corn", "horn", "correct horse", "correct horse"};
    static const char *const wrong[] = {"incorrect horse"}, *const right[] = {"correct horse"};
    static const char *const empty[] = {""};
    struct scene *scene = scene_new(state);

    scene->person = (struct person){.is_present = true, .answers = new_answers};
    CHECK_OK(home_create(&scene->place, &scene->home));
    check_said(scene, "the two differ");
    CHECK(scene->person.asked == 4);
    CHECK(!has_file(scene, "key"));
    check_mode(scene, "key.sealed", 0600);
    put_account(scene);
    close_home(scene);
    /* Asked also where input is not from a terminal: somebody must. */
    scene->person = (struct person){.answers = right};
    check_opens(scene);
    scene->person.answers = wrong;
    check_opening(scene, SIGNET_ERR_AUTH, "signet: wrong passphrase or damaged key file\n");
    scene->person.answers = empty;
    check_opening(scene, SIGNET_ERR_AUTH, "signet: wrong passphrase or damaged key file\n");
    scene->person.answers = NULL;
    check_opening(scene, SIGNET_ERR_STATE, "there is no terminal to ask for it on");
    scene_free(scene);
}

static void an_empty_passphrase_is_none(void **state)
{
    static const char *const answers[] = {"", NULL};
    struct scene *scene = scene_new(state);

    scene->person = (struct person){.is_present = true, .answers = answers};
    make_home(scene);
    CHECK(scene->person.asked == 1);
    CHECK(has_file(scene, "key") && !has_file(scene, "key.sealed"));
    check_opens(scene);
    CHECK(scene->person.asked == 0);
    scene_free(scene);
}

static void passphrases_that_keep_differing_end_the_attempt(void **state)
{
    static const char *const answers[] = {"1", "2", "3", "4", "5", "6"};
    struct scene *scene = scene_new(state);

    scene->person = (struct person){.is_present = true, .answers = answers};
    CHECK_ERR(home_create(&scene->place, &scene->home), SIGNET_ERR_ARGUMENT);
    check_said(scene, "differed 3 times");
    CHECK(!has_file(scene, "key") && !has_file(scene, "key.sealed"));
    scene_free(scene);
}

/* MEGA (2022): a malleable wrapped key. ATTACKS.md: any flipped bit is refused. */
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
    struct scene *scene = scene_new(state);
    char path[128];

    make_home(scene);
    file_path(scene, "key", path);
    CHECK(chmod(path, 0640) == 0);
    check_opening(scene, SIGNET_ERR_STATE, "others can read the key file");
    CHECK(chmod(path, 0600) == 0 && truncate(path, 20) == 0);
    check_opening(scene, SIGNET_ERR_FORMAT, "is damaged");
    CHECK(unlink(path) == 0);
    check_opening(scene, SIGNET_ERR_FORMAT, "is missing; put the right one back");
    CHECK_OK(private_file_create(path,
        signet_span_str("0000000000000000000000000000000000000000000000000000000000000000\n")));
    check_opening(scene, SIGNET_ERR_AUTH, "the key does not belong to the store");
    scene_free(scene);
}

static void where_nothing_is_nothing_is_left(void **state)
{
    struct scene *scene = scene_new(state);

    check_opening(scene, SIGNET_ERR_UNKNOWN, "");
    CHECK(!has_file(scene, "lock"));
    CHECK(rmdir(scene->folder) == 0);
    check_opening(scene, SIGNET_ERR_UNKNOWN, "");
    CHECK(mkdir(scene->folder, 0700) == 0);
    scene_free(scene);
}

/* DESIGN.md, section 5: one process at a time owns a home. */
static void a_second_process_is_told_which_one_has_the_home(void **state)
{
    struct scene *scene = scene_new(state);
    struct home *second = NULL;
    char wanted[160];

    CHECK_OK(home_create(&scene->place, &scene->home));
    put_account(scene);
    (void)snprintf(wanted, sizeof(wanted),
        "signet: another signet (process %ld) is using %s; wait for it or end it\n", (long)getpid(),
        scene->folder);
    check_said(scene, "no passphrase");
    CHECK_ERR(home_open(&scene->place, &second), SIGNET_ERR_STATE);
    check_said(scene, wanted);
    CHECK_ERR(home_create(&scene->place, &second), SIGNET_ERR_STATE);
    check_said(scene, wanted);
    close_home(scene);
    check_opens(scene);
    scene_free(scene);
}

static void an_account_is_never_replaced(void **state)
{
    struct scene *scene = scene_new(state);

    make_home(scene);
    CHECK_ERR(home_create(&scene->place, &scene->home), SIGNET_ERR_STATE);
    check_said(scene, "there is an account in");
    check_opens(scene);
    scene_free(scene);
}

/* However far a join came before it crashed, the next one begins afresh. */
static void an_incomplete_home_is_taken_over(void **state)
{
    struct scene *scene = scene_new(state);
    char path[128];
    int fd;

    file_path(scene, "key", path);
    CHECK_OK(private_file_create(path, signet_span_str("01ab"))); /* half a key, no store */
    make_home(scene);
    file_path(scene, "store.db" STORE_NEW, path);
    CHECK_OK(private_file_create(path, signet_span_str(""))); /* a store not yet filled */
    file_path(scene, "store.db", path);
    CHECK(unlink(path) == 0);
    check_opening(scene, SIGNET_ERR_UNKNOWN, "");
    make_home(scene);
    CHECK(unlink(path) == 0);
    CHECK_OK(home_create(&scene->place, &scene->home)); /* a store without account */
    close_home(scene);
    rewind(scene->report.err);
    check_opening(scene, SIGNET_ERR_UNKNOWN, "");
    make_home(scene);
    check_opens(scene);
    /* What is no store is not taken over. */
    fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, "something else", 14) == 14 && close(fd) == 0);
    CHECK_ERR(home_create(&scene->place, &scene->home), SIGNET_ERR_FORMAT);
    check_said(scene, "not a signet store; join again as a new account");
    CHECK(truncate(path, 0) == 0); /* an emptied one held an account */
    check_opening(scene, SIGNET_ERR_FORMAT, "it is empty; join again as a new account");
    CHECK_ERR(home_create(&scene->place, &scene->home), SIGNET_ERR_FORMAT);
    CHECK(has_file(scene, "store.db") && has_file(scene, "key"));
    rewind(scene->report.err);
    scene_free(scene);
}

static void a_folder_that_others_can_write_to_is_refused(void **state)
{
    struct scene *scene = scene_new(state);

    CHECK(chmod(scene->folder, 0755) == 0);
    CHECK_OK(home_create(&scene->place, &scene->home)); /* empty: made private */
    check_mode(scene, "", 0700);
    put_account(scene);
    close_home(scene);
    rewind(scene->report.err);
    CHECK(chmod(scene->folder, 0770) == 0);
    check_opening(scene, SIGNET_ERR_STATE, "others can write to the folder");
    CHECK_ERR(home_create(&scene->place, &scene->home), SIGNET_ERR_STATE);
    check_said(scene, "others can write to the folder");
    CHECK(chmod(scene->folder, 0750) == 0);
    check_opens(scene);
    check_said(scene, "others can look into");
    scene_free(scene);
}

/* RFC 7468: what was written is what OpenSSL reads. */
static void the_next_identity_key_is_written_as_pem(void **state)
{
    struct scene *scene = scene_new(state);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), *read = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    char *path = NULL;
    FILE *file;

    CHECK(len > 0);
    CHECK_OK(home_create(&scene->place, &scene->home));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(home_next_identity_write(scene->home, signet_span_of(der, (size_t)len), &path));
        CHECK(strstr(path, "/next-identity.key") != NULL);
        file = fopen(path, "r");
        free(path);
        CHECK(file != NULL);
        read = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        CHECK(read != NULL && EVP_PKEY_eq(key, read) == 1);
        CHECK(fclose(file) == 0);
        EVP_PKEY_free(read);
    }
    check_mode(scene, "next-identity.key", 0600);
    /* Older ones are kept. */
    CHECK(has_file(scene, "next-identity.1.key") && has_file(scene, "next-identity.2.key"));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
    scene_free(scene);
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_found_in_a_fixed_order),
        cmocka_unit_test(without_a_person_the_key_is_a_file_for_its_owner),
        cmocka_unit_test(missing_folders_above_are_made),
        cmocka_unit_test(a_passphrase_seals_the_key),
        cmocka_unit_test(an_empty_passphrase_is_none),
        cmocka_unit_test(passphrases_that_keep_differing_end_the_attempt),
        cmocka_unit_test(a_flipped_bit_in_the_sealed_key_is_refused),
        cmocka_unit_test(a_damaged_or_missing_key_file_is_told),
        cmocka_unit_test(where_nothing_is_nothing_is_left),
        cmocka_unit_test(a_second_process_is_told_which_one_has_the_home),
        cmocka_unit_test(an_account_is_never_replaced),
        cmocka_unit_test(an_incomplete_home_is_taken_over),
        cmocka_unit_test(a_folder_that_others_can_write_to_is_refused),
        cmocka_unit_test(the_next_identity_key_is_written_as_pem),
        cmocka_unit_test(pem_pads_as_base64_demands),
    };

    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
