/* io/tls_identity: a relay's key and certificate, in two files. */
#include "tests/support/unit.h"

#include <errno.h>
#include <stdio.h>

#include <sys/stat.h>
#include <unistd.h>

#include "io/tls.h"
#include "io/tls_identity.h"
#include "tests/support/tls_files.h"

static void an_identity_is_private_new_and_pinned_alike_by_key_and_certificate(void **state)
{
    const struct tls_files *files = *state;
    struct signet_id pin;
    struct stat status;

    CHECK(stat(files->key[0], &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(stat(files->certificate[0], &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK_OK(tls_key_pin(files->key[0], &pin));
    CHECK(signet_id_equal(&pin, &files->pin[0]));
    CHECK_OK(tls_certificate_pin(files->certificate[0], &pin));
    CHECK(signet_id_equal(&pin, &files->pin[0]));
    CHECK(!signet_id_equal(&files->pin[0], &files->pin[1]));
    CHECK_ERR(tls_key_pin(files->certificate[0], &pin), SIGNET_ERR_KEY);
    CHECK_ERR(tls_certificate_pin(files->key[0], &pin), SIGNET_ERR_KEY);
    CHECK_ERR(tls_key_pin("/nowhere/key", &pin), SIGNET_ERR_IO);
}

static void an_identity_never_replaces_a_file(void **state)
{
    const struct tls_files *files = *state;
    struct signet_id pin, before;
    char fresh[128];

    snprintf(fresh, sizeof(fresh), "%s/fresh", files->directory);
    CHECK_ERR(tls_make_identity(files->key[0], fresh, "a.example", &pin), SIGNET_ERR_IO);
    CHECK(errno == EEXIST && access(fresh, F_OK) != 0);
    CHECK_ERR(tls_make_identity(fresh, files->certificate[0], "a.example", &pin), SIGNET_ERR_IO);
    CHECK(errno == EEXIST && access(fresh, F_OK) != 0);
    CHECK_OK(tls_key_pin(files->key[0], &before));
    CHECK(signet_id_equal(&before, &files->pin[0]));
    CHECK_ERR(tls_make_identity(fresh, fresh, "a.example,DNS:b", &pin), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(tls_make_identity(fresh, fresh, "", &pin), SIGNET_ERR_ARGUMENT);
}

static void an_identity_for_an_address_can_be_used(void **state)
{
    const struct tls_files *files = *state;
    static const char *const hosts[] = {"192.0.2.1", "2001:db8::1", "localhost"};
    struct tls_context *context;
    char key[128], certificate[128];
    struct signet_id pin;

    snprintf(key, sizeof(key), "%s/a.key", files->directory);
    snprintf(certificate, sizeof(certificate), "%s/a.pem", files->directory);
    for (size_t i = 0; i < 3; i++) {
        CHECK_OK(tls_make_identity(key, certificate, hosts[i], &pin));
        CHECK_OK(tls_server_new(certificate, key, &context));
        CHECK(signet_id_equal(tls_context_pin(context), &pin));
        tls_context_free(context);
        CHECK(unlink(key) == 0 && unlink(certificate) == 0);
    }
}

static void a_certificate_needs_its_own_key(void **state)
{
    const struct tls_files *files = *state;
    struct tls_context *context = NULL;

    CHECK_ERR(tls_server_new(files->certificate[0], files->key[1], &context), SIGNET_ERR_KEY);
    CHECK_ERR(tls_server_new(files->key[0], files->key[0], &context), SIGNET_ERR_KEY);
    CHECK_ERR(tls_server_new("/nowhere/pem", files->key[0], &context), SIGNET_ERR_IO);
    CHECK(errno == ENOENT && context == NULL);
}

TEST_FILE(tls_identity)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_private_new_and_pinned_alike_by_key_and_certificate),
        cmocka_unit_test(an_identity_never_replaces_a_file),
        cmocka_unit_test(an_identity_for_an_address_can_be_used),
        cmocka_unit_test(a_certificate_needs_its_own_key),
    };

    return cmocka_run_group_tests_name(
        "tls_identity", tests, tls_files_set_up, tls_files_tear_down);
}
