/* A home: the folder that holds one account. */
#include "agent/home/home.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/home/folder.h"
#include "agent/home/key.h"
#include "agent/home/key_file.h"
#include "agent/home/private_file.h"
#include "crypto/secret.h"

enum { OLD_KEYS_MAX = 99 };

struct home {
    const struct report *report; /* borrowed */
    char *folder;
    struct store *store;
    int lock; /* -1: not held */
};

void home_close(struct home *home)
{
    if (home == NULL)
        return;
    store_close(home->store);
    if (home->lock >= 0)
        (void)close(home->lock);
    free(home->folder);
    free(home);
}

struct store *home_store(struct home *home)
{
    return home->store;
}

const char *home_path(const struct home *home)
{
    return home->folder;
}

static enum signet_err out_of_memory(const struct report *report)
{
    report_error(report, "machine", NULL, "out of memory");
    return SIGNET_ERR_NOMEM;
}

/* A locked home without a store. */
static enum signet_err home_lock(const struct home_place *place, struct home **home_out)
{
    struct home *home = calloc(1, sizeof(*home));
    enum signet_err err;

    if (home == NULL)
        return out_of_memory(place->report);
    home->report = place->report;
    home->lock = -1;
    home->folder = strdup(place->folder);
    if (home->folder == NULL)
        err = out_of_memory(place->report);
    else
        err = home_folder_lock(place->folder, place->report, &home->lock);
    if (err != SIGNET_OK) {
        home_close(home);
        return err;
    }
    *home_out = home;
    return SIGNET_OK;
}

static enum signet_err report_store(
    const struct home *home, const char *path, const char *what, enum signet_err err)
{
    const char *why = store_error_text(home->store);

    report_error(home->report, "store", store_error_hint(home->store), "cannot %s %s: %s", what,
        path, why[0] == '\0' ? signet_err_text(err) : why);
    return err;
}

/* Open the store, and see whether it holds an account; one that is not there holds none. Reports. */
static enum signet_err open_store(struct home *home, const char *store_path, bool *has_account_out)
{
    enum signet_err err;

    *has_account_out = false;
    if (access(store_path, F_OK) != 0 && errno == ENOENT)
        return SIGNET_OK;
    err = store_open(store_path, &home->store);
    if (err == SIGNET_OK)
        err = store_holds(home->store, RECORD_ACCOUNT, has_account_out);
    return err == SIGNET_OK ? SIGNET_OK : report_store(home, store_path, "open", err);
}

/* Remove what a crash left of a home that was never complete. The next identity key is not among
 * it: it may be the only copy of a key that somebody needs. */
static enum signet_err remove_leftovers(const struct home_place *place)
{
    static const char *const names[] = {"store.db", "store.db-wal", "store.db-shm",
        "store.db-journal", "store.db" STORE_NEW, "store.db" STORE_NEW "-wal",
        "store.db" STORE_NEW "-journal", "key", "key.sealed"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = home_folder_file(place->folder, names[i]);
        bool is_gone;

        if (path == NULL)
            return out_of_memory(place->report);
        is_gone = unlink(path) == 0 || errno == ENOENT;
        if (!is_gone)
            report_error(
                place->report, "home", NULL, "cannot remove %s: %s", path, strerror(errno));
        free(path);
        if (!is_gone)
            return SIGNET_ERR_IO;
    }
    return SIGNET_OK;
}

/* The steps of home_create once the folder is locked. */
static enum signet_err fill(
    const struct home_place *place, const char *store_path, struct home *home)
{
    struct store_key key;
    bool is_taken = false;
    enum signet_err err;

    if ((err = open_store(home, store_path, &is_taken)) != SIGNET_OK)
        return err;
    store_close(home->store);
    home->store = NULL;
    if (is_taken) {
        report_error(place->report, "home", "give another --home DIR",
            "there is an account in %s already", place->folder);
        return SIGNET_ERR_STATE;
    }
    if ((err = remove_leftovers(place)) != SIGNET_OK)
        return err;
    if ((err = home_key_create(place, &key)) != SIGNET_OK)
        return err;
    err = store_create(store_path, place->library, &key, &home->store);
    crypto_wipe(&key, sizeof(key));
    if (err == SIGNET_OK)
        err = private_file_sync_folder(store_path);
    if (err != SIGNET_OK)
        return report_store(home, store_path, "make", err);
    return SIGNET_OK;
}

enum signet_err home_create(const struct home_place *place, struct home **home_out)
{
    struct home *home = NULL;
    char *store_path = home_folder_file(place->folder, "store.db");
    enum signet_err err;

    if (store_path == NULL)
        return out_of_memory(place->report);
    if ((err = home_folder_make(place->folder, place->report)) != SIGNET_OK)
        goto out;
    if ((err = home_folder_check(place->folder, place->report)) != SIGNET_OK)
        goto out;
    if ((err = home_lock(place, &home)) != SIGNET_OK)
        goto out;
    if ((err = fill(place, store_path, home)) != SIGNET_OK)
        goto out;
    *home_out = home;
    home = NULL;
out:
    home_close(home);
    free(store_path);
    return err;
}

/* The steps of home_open once the folder is locked. */
static enum signet_err load(
    const struct home_place *place, const char *store_path, struct home *home)
{
    struct store_key key;
    bool is_there = false;
    enum signet_err err;

    if ((err = open_store(home, store_path, &is_there)) != SIGNET_OK)
        return err;
    if (!is_there)
        return SIGNET_ERR_UNKNOWN;
    if ((err = home_key_open(place, &key)) != SIGNET_OK)
        return err;
    err = store_unlock(home->store, place->library, &key);
    crypto_wipe(&key, sizeof(key));
    if (err != SIGNET_OK)
        return report_store(home, store_path, "open", err);
    return SIGNET_OK;
}

enum signet_err home_open(const struct home_place *place, struct home **home_out)
{
    struct home *home = NULL;
    char *store_path = home_folder_file(place->folder, "store.db");
    enum signet_err err = SIGNET_ERR_UNKNOWN;

    if (store_path == NULL)
        return out_of_memory(place->report);
    /* Where there is no store, not even a lock is left behind. */
    if (access(store_path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
        goto out;
    if ((err = home_folder_check(place->folder, place->report)) != SIGNET_OK)
        goto out;
    if ((err = home_lock(place, &home)) != SIGNET_OK)
        goto out;
    if ((err = load(place, store_path, home)) != SIGNET_OK)
        goto out;
    *home_out = home;
    home = NULL;
out:
    home_close(home);
    free(store_path);
    return err;
}

/* Rename a file to "next-identity.N.key", the first name that is free. */
static bool set_aside(const char *path, const char *folder)
{
    for (int i = 1; i <= OLD_KEYS_MAX; i++) {
        char name[sizeof("next-identity.99.key")];
        char *aside;
        bool is_done;

        (void)snprintf(name, sizeof(name), "next-identity.%d.key", i);
        aside = home_folder_file(folder, name);
        if (aside == NULL)
            return false;
        is_done = renameat2(AT_FDCWD, path, AT_FDCWD, aside, RENAME_NOREPLACE) == 0;
        free(aside);
        if (is_done)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

enum signet_err home_next_identity_write(struct home *home, signet_span pkcs8, char **path_out)
{
    char *path = home_folder_file(home->folder, "next-identity.key");
    struct signet_buf pem = {0};
    enum signet_err err = SIGNET_ERR_NOMEM;

    if (path == NULL || (err = key_pem_write(pkcs8, &pem)) != SIGNET_OK) {
        err = out_of_memory(home->report);
        goto out;
    }
    err = private_file_create(path, signet_buf_span(&pem));
    if (err != SIGNET_OK && errno == EEXIST && set_aside(path, home->folder))
        err = private_file_create(path, signet_buf_span(&pem));
    if (err != SIGNET_OK) {
        report_error(home->report, "key", NULL, "cannot write %s: %s", path, strerror(errno));
        goto out;
    }
    *path_out = path;
    path = NULL;
out:
    free(path);
    signet_buf_free(&pem);
    return err;
}
