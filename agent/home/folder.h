/* The folder of a home: finding, making, checking and locking it. */
#ifndef AGENT_HOME_FOLDER_H
#define AGENT_HOME_FOLDER_H

#include "term/report.h"

/* "FOLDER/NAME", to be freed. NULL: out of memory. */
char *home_folder_file(const char *folder, const char *name);

/*
 * Make the folder and those above it where they are missing. An empty folder that was there is
 * made the owner's only. Reports. Errors: IO, NOMEM.
 */
SIGNET_MUST_USE enum signet_err home_folder_make(const char *folder, const struct report *report);

/*
 * Whether keys are safe in the folder: it belongs to the person, and others cannot write to it.
 * That others can read its names is only noted. Reports.
 * Errors: UNKNOWN (there is no folder: not reported), STATE (not safe), IO.
 */
SIGNET_MUST_USE enum signet_err home_folder_check(const char *folder, const struct report *report);

/*
 * Take the lock, which the process holds until it closes the descriptor or ends. Reports.
 * Errors: STATE (another process holds it), IO, NOMEM.
 */
SIGNET_MUST_USE enum signet_err home_folder_lock(
    const char *folder, const struct report *report, int *lock_out);

#endif
