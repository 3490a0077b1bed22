/* The store key of a home: choosing how it is kept, and getting it back. */
#include "agent/home/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/home/folder.h"
#include "agent/home/key_file.h"
#include "agent/home/private_file.h"
#include "crypto/secret.h"

enum { TRIES = 3, KEY_FILE_MAX = 4096 };

/* ---- asking ---- */

static enum signet_err ask(
    const struct home_place *place, const char *prompt, struct signet_buf *out)
{
    enum signet_err err = place->asker->passphrase(place->asker->ctx, prompt, out);

    if (err == SIGNET_ERR_STATE)
        report_error(place->report, "passphrase", "run signet in a terminal",
            "%s is protected by a passphrase, and there is no terminal to ask for it on",
            place->folder);
    else if (err == SIGNET_ERR_LIMIT)
        report_error(place->report, "passphrase", NULL, "a passphrase has at most %d characters",
            ASK_PASSPHRASE_MAX);
    else if (err != SIGNET_OK)
        report_error(place->report, "passphrase", NULL, "no passphrase was given");
    return err;
}

/* Ask twice; an empty line is a choice too. Errors: ARGUMENT (they differ), as `ask`. */
static enum signet_err ask_new(const struct home_place *place, struct signet_buf *passphrase)
{
    struct signet_buf again = {0};
    enum signet_err err;

    err = ask(place, "Passphrase for the keys of this account (empty: none): ", passphrase);
    if (err != SIGNET_OK || passphrase->len == 0)
        return err;
    err = ask(place, "The same again: ", &again);
    if (err == SIGNET_OK && !crypto_equal(signet_buf_span(passphrase), signet_buf_span(&again)))
        err = SIGNET_ERR_ARGUMENT;
    signet_buf_free(&again);
    return err;
}

/* Leaves `passphrase` empty where there shall be none. */
static enum signet_err choose(const struct home_place *place, struct signet_buf *passphrase)
{
    enum signet_err err = SIGNET_OK;

    if (!place->asker->is_present(place->asker->ctx))
        return SIGNET_OK;
    for (int i = 0; i < TRIES; i++) {
        signet_buf_truncate(passphrase, 0);
        err = ask_new(place, passphrase);
        if (err != SIGNET_ERR_ARGUMENT)
            return err;
        report_note(place->report, "the two differ");
    }
    report_error(place->report, "passphrase", NULL, "the passphrases differed %d times", TRIES);
    return err;
}

/* ---- files ---- */

static enum signet_err report_plainly(const struct home_place *place, enum signet_err err)
{
    report_error(place->report, "key", NULL, "cannot make or open the key of %s: %s", place->folder,
        signet_err_text(err));
    return err;
}

static enum signet_err write_file(
    const struct home_place *place, const char *name, const struct signet_buf *contents)
{
    char *path = home_folder_file(place->folder, name);
    enum signet_err err;

    if (path == NULL)
        return report_plainly(place, SIGNET_ERR_NOMEM);
    err = private_file_create(path, signet_buf_span(contents));
    if (err != SIGNET_OK)
        report_error(place->report, "key", NULL, "cannot write %s: %s", path, strerror(errno));
    free(path);
    return err;
}

/* Errors: UNKNOWN (no such file: not reported), others reported. */
static enum signet_err read_file(
    const struct home_place *place, const char *name, struct signet_buf *out)
{
    char *path = home_folder_file(place->folder, name);
    enum signet_err err;

    if (path == NULL)
        return report_plainly(place, SIGNET_ERR_NOMEM);
    err = private_file_read(path, KEY_FILE_MAX, out);
    if (err == SIGNET_ERR_STATE)
        report_error(place->report, "key", "take that away with chmod 600",
            "others can read the key file %s, or it is not a file of yours", path);
    else if (err == SIGNET_ERR_IO)
        report_error(place->report, "key", NULL, "cannot read %s: %s", path, strerror(errno));
    else if (err == SIGNET_ERR_LIMIT)
        report_error(place->report, "key", NULL, "damaged key file %s", path);
    else if (err != SIGNET_OK && err != SIGNET_ERR_UNKNOWN)
        err = report_plainly(place, err);
    free(path);
    return err;
}

enum signet_err home_key_create(const struct home_place *place, struct store_key *key_out)
{
    struct signet_buf passphrase = {0}, file = {0};
    struct store_key key;
    enum signet_err err;

    if ((err = choose(place, &passphrase)) != SIGNET_OK)
        goto out;
    err = crypto_random_secret(place->library, key.k, sizeof(key.k));
    if (err == SIGNET_OK && passphrase.len == 0)
        err = key_plain_write(&key, &file);
    else if (err == SIGNET_OK)
        err = key_sealed_write(place->library, signet_buf_span(&passphrase), &key, &file);
    if (err != SIGNET_OK) {
        err = report_plainly(place, err);
        goto out;
    }
    err = write_file(place, passphrase.len == 0 ? "key" : "key.sealed", &file);
    if (err != SIGNET_OK)
        goto out;
    if (passphrase.len == 0)
        report_note(place->report,
            "no passphrase: whoever can read the files in %s can use this account", place->folder);
    *key_out = key;
out:
    crypto_wipe(&key, sizeof(key));
    signet_buf_free(&passphrase);
    signet_buf_free(&file);
    return err;
}

static enum signet_err open_sealed(
    const struct home_place *place, signet_span file, struct store_key *key_out)
{
    struct signet_buf passphrase = {0};
    enum signet_err err = ask(place, "Passphrase: ", &passphrase);

    if (err != SIGNET_OK)
        goto out;
    /* None was ever sealed with an empty one. */
    err = SIGNET_ERR_AUTH;
    if (passphrase.len > 0)
        err = key_sealed_read(place->library, signet_buf_span(&passphrase), file, key_out);
    if (err == SIGNET_ERR_AUTH)
        report_error(place->report, "passphrase", NULL, "wrong passphrase or damaged key file");
    else if (err != SIGNET_OK)
        err = report_plainly(place, err);
out:
    signet_buf_free(&passphrase);
    return err;
}

enum signet_err home_key_open(const struct home_place *place, struct store_key *key_out)
{
    struct signet_buf file = {0};
    enum signet_err err = read_file(place, "key.sealed", &file);

    if (err == SIGNET_OK) {
        err = open_sealed(place, signet_buf_span(&file), key_out);
    } else if (err == SIGNET_ERR_UNKNOWN) {
        err = read_file(place, "key", &file);
        if (err == SIGNET_OK)
            err = key_plain_read(signet_buf_span(&file), key_out);
        if (err == SIGNET_ERR_UNKNOWN || err == SIGNET_ERR_FORMAT) {
            report_error(place->report, "key",
                "put the right one back, or join again as a new account with another --home DIR",
                "the key file of %s is %s", place->folder,
                err == SIGNET_ERR_UNKNOWN ? "missing" : "damaged");
            err = SIGNET_ERR_FORMAT;
        }
    }
    signet_buf_free(&file);
    return err;
}
