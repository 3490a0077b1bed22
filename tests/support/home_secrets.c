/*
 * What a home keeps sealed, in the clear: so that a test can look for it where it must not be.
 *
 * usage: home_secrets HOME [all]    (a home without a passphrase, not in use)
 *
 * A line for each record that holds private keys: "account", "bundle" or "session" and its bytes.
 * With `all`, a line for each record: its kind's number, its own number, and its bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/home/key_file.h"
#include "agent/home/private_file.h"
#include "crypto/secret.h"

enum { PATH_SIZE = 4096, FILE_MAX = 4096, KIND_MAX = 64 };

static void print_bytes(signet_span value)
{
    for (size_t i = 0; i < value.len; i++)
        printf("%02x", value.ptr[i]);
    printf("\n");
}

/* A record_visitor; ctx is the kind's word. */
static enum signet_err print(void *ctx, uint64_t number, signet_span value)
{
    const char *word = ctx;

    (void)number;
    if (value.len == 0)
        return SIGNET_ERR_AUTH; /* damaged */
    printf("%s ", word);
    print_bytes(value);
    return SIGNET_OK;
}

/* A record_visitor; ctx is the kind. A damaged record has no bytes. */
static enum signet_err print_numbered(void *ctx, uint64_t number, signet_span value)
{
    const enum record_kind *kind = ctx;

    printf("%d %" PRIu64 " ", (int)*kind, number);
    print_bytes(value);
    return SIGNET_OK;
}

static enum signet_err print_all(struct store *store)
{
    struct record_source records = store_source(store);
    enum signet_err err = SIGNET_OK;

    for (int i = 1; err == SIGNET_OK && i <= KIND_MAX; i++) {
        enum record_kind kind = (enum record_kind)i;
        struct record_key key = {.kind = kind};

        err = records.scan(records.ctx, &key, print_numbered, &kind);
    }
    return err;
}

static enum signet_err print_secrets(struct store *store)
{
    static char account[] = "account", bundle[] = "bundle", session[] = "session";
    const struct {
        enum record_kind kind;
        char *word;
    } kinds[] = {{RECORD_ACCOUNT, account}, {RECORD_BUNDLE, bundle}, {RECORD_SESSION, session}};
    struct record_source records = store_source(store);
    enum signet_err err = SIGNET_OK;

    for (size_t i = 0; err == SIGNET_OK && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct record_key key = {.kind = kinds[i].kind};

        err = records.scan(records.ctx, &key, print, kinds[i].word);
    }
    return err;
}

static enum signet_err open_home(
    const char *home, struct signet_library *library, struct store **store_out)
{
    char path[PATH_SIZE];
    struct signet_buf file = {0};
    struct store_key key;
    enum signet_err err;

    (void)snprintf(path, sizeof(path), "%s/key", home);
    if ((err = private_file_read(path, FILE_MAX, &file)) != SIGNET_OK)
        goto out;
    if ((err = key_plain_read(signet_buf_span(&file), &key)) != SIGNET_OK)
        goto out;
    (void)snprintf(path, sizeof(path), "%s/store.db", home);
    if ((err = store_open(path, store_out)) == SIGNET_OK)
        err = store_unlock(*store_out, library, &key);
out:
    crypto_wipe(&key, sizeof(key));
    signet_buf_free(&file);
    return err;
}

int main(int argc, char **argv)
{
    struct signet_library *library = NULL;
    struct store *store = NULL;
    bool is_all = argc == 3 && strcmp(argv[2], "all") == 0;
    enum signet_err err;

    if (argc != 2 && !is_all) {
        fprintf(stderr, "usage: home_secrets HOME [all]\n");
        return 2;
    }
    err = signet_library_new(NULL, &library);
    if (err == SIGNET_OK)
        err = open_home(argv[1], library, &store);
    if (err == SIGNET_OK)
        err = is_all ? print_all(store) : print_secrets(store);
    if (err != SIGNET_OK)
        fprintf(stderr, "home_secrets: %s: %s\n", argv[1], signet_err_text(err));
    store_close(store);
    signet_library_free(library);
    return err == SIGNET_OK ? 0 : 1;
}
