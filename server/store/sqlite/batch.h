/* Carrying out groups in one transaction, and answering them. */
#ifndef SERVER_STORE_SQLITE_BATCH_H
#define SERVER_STORE_SQLITE_BATCH_H

#include "server/store/sqlite/sqlite_internal.h"

/*
 * Carry out a list of groups, all or none; where a page of the file is damaged, all but the
 * operations that need it; where the disk cannot be written, what needs no writing, and what makes
 * room if that works. Returns how they ended, with their answers in the operations. The devices in
 * memory are true to the disk again in any case.
 */
enum store_result batch_run(struct store_work *work, struct store_group *groups);

/* Answer them, in their order, with `result`: routes change, and messages are delivered, as it
 * goes. The groups are their submitters' again. */
void batch_answer(struct store_work *work, struct store_group *groups, enum store_result result,
    const struct store_sink sinks[STORE_WORKERS_MAX]);

#endif
