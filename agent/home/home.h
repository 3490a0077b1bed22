/*
 * A home: the folder that holds one account.
 *
 *   lock               held by the process that uses the home; its number is inside
 *   store.db           the records, sealed (store.h)
 *   key                the store's key, 64 hexadecimal digits, where there is no passphrase
 *   key.sealed         the store's key sealed with a passphrase (key_file.h)
 *   next-identity.key  the next identity key, until the person moves it away
 *
 * A home is complete when its store holds an account; what a crash left behind before that is
 * taken over by the next home_create. All is readable by its owner only.
 *
 * Failures are reported here, in words (report.h), with the exceptions that are named.
 */
#ifndef AGENT_HOME_HOME_H
#define AGENT_HOME_HOME_H

#include "agent/home/ask.h"
#include "agent/store/store.h"
#include "term/report.h"

struct home;

/* What home_create and home_open work with; all borrowed, and outlives the home. */
struct home_place {
    const char *folder;
    struct signet_library *library;
    const struct report *report;
    const struct asker *asker;
};

/*
 * The folder to use: `option` (--home; NULL: not given), else $SIGNET_HOME, else
 * $XDG_DATA_HOME/signet, else $HOME/.local/share/signet.
 * Errors: UNKNOWN (none of them is set), NOMEM: not reported. *folder_out is to be freed.
 */
SIGNET_MUST_USE enum signet_err home_folder(const char *option, char **folder_out);

/*
 * Make a home, asking for a passphrase where a person is present. It stays incomplete until
 * RECORD_ACCOUNT is committed to its store.
 * Errors: STATE (the folder holds an account already, or another process uses it), ARGUMENT (the
 * passphrases differed too often), IO, NOMEM, CRYPTO and those of asker->passphrase.
 */
SIGNET_MUST_USE enum signet_err home_create(const struct home_place *place, struct home **home_out);

/*
 * Open a complete home, asking for the passphrase where it has one.
 * Errors: UNKNOWN (no complete home there: not reported), STATE (another process uses it, or
 * there is nobody to ask), AUTH (wrong passphrase or damaged key file), FORMAT, IO, NOMEM, CRYPTO.
 */
SIGNET_MUST_USE enum signet_err home_open(const struct home_place *place, struct home **home_out);

/* NULL is fine. */
void home_close(struct home *home);

struct store *home_store(struct home *home);
/* Borrowed from the home. */
const char *home_path(const struct home *home);

/*
 * Write the next identity key (unencrypted PKCS#8 DER) to next-identity.key as PEM. A file of
 * that name that is there already is kept under another name. *path_out, to be freed, is where
 * the key is.
 * Errors: IO, NOMEM.
 */
SIGNET_MUST_USE enum signet_err home_next_identity_write(
    struct home *home, signet_span pkcs8, char **path_out);

#endif
