/*
 * A home in a folder of its own, a person who answers from a list when asked for its passphrase, and
 * what was said to that person. For the tests of homes and of their keys.
 */
#ifndef TESTS_HOME_RIG_H
#define TESTS_HOME_RIG_H

#include "tests/support/unit.h"

#include <stdio.h>
#include <sys/types.h>

#include "agent/home/home.h"

enum { HOME_RIG_PATH_SIZE = 128 };

struct home_person {
    bool is_present;
    const char *const *answers; /* ends with NULL: no terminal */
    size_t asked;
};

struct home_rig {
    struct home_person person;
    struct asker asker;
    struct report report;
    struct home_place place;
    char folder[64];
    char *said; /* on standard error */
    size_t said_len;
    struct home *home; /* NULL: not open */
};

/* The folder is there, and empty. The library is cmocka's state (crypto_unit.h). */
struct home_rig *home_rig_new(void **state);
/* Closes and removes the home, which must hold no folder. */
void home_rig_free(struct home_rig *rig);

/* Of a file in the home. */
void home_rig_path(const struct home_rig *rig, const char *name, char path[HOME_RIG_PATH_SIZE]);
bool home_rig_has(const struct home_rig *rig, const char *name);
void home_rig_check_mode(const struct home_rig *rig, const char *name, mode_t wanted);
/* What has been said since the last call must hold the text; "": nothing. */
void home_rig_check_said(struct home_rig *rig, const char *text);

/* A complete home without passphrase; closed. What was said is forgotten. */
void home_rig_make(struct home_rig *rig);
/* Complete the home that is open. */
void home_rig_put_account(struct home_rig *rig);
void home_rig_close(struct home_rig *rig);
/* It must open, hold the account, and close. */
void home_rig_check_opens(struct home_rig *rig);
/* It must not open, and that text be said. */
void home_rig_check_refused(struct home_rig *rig, enum signet_err wanted, const char *text);

#endif
