/* A session of ours is lost: beginning another, and saying what we have. */
#ifndef ENGINE_RECOVERY_H
#define ENGINE_RECOVERY_H

#include "engine/txn/txn.h"

struct recovery {
    uint64_t due_at; /* ms: when a loss is to be told again; 0: not by itself */
};

/* A session was found to be damaged whose device is not at hand: look whose it was, once. */
SIGNET_MUST_USE enum signet_err recovery_trace(struct txn *t, const struct signet_id *transcript);
/* OUTCOME_SESSION_LOST for those whose sessions were lost, at most once an hour: at each pump. */
SIGNET_MUST_USE enum signet_err recovery_tell(struct txn *t);

#endif
