/* What a refusal of the relay means: docs/protocol.md, section 9, retry_after. */
#ifndef ENGINE_TXN_REFUSAL_H
#define ENGINE_TXN_REFUSAL_H

#include "engine/txn/txn.h"

/* A code of ours: no answer came. */
#define CODE_SILENT UINT64_MAX

/* When to try again where the relay does not say when: ms. */
enum { RETRY_MS = 30000 };

/* The problem of a refusal that passes: OFTEN, SILENT, else RELAY. */
enum engine_problem refusal_problem(const struct relay_message *refusal);
/* When something refused may be tried again: ms. */
uint64_t refusal_retry_at(const struct relay_message *refusal, uint64_t now_ms);

#endif
