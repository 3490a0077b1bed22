/*
 * The cryptographic steps, as they happen (--explain), on standard error:
 *
 *   3. [confidentiality] session key wrapped with RSA: RSA-OAEP, SHA-256; 32 bytes -> 384 bytes
 *
 * or, with --json, {"step": {"number", "serves", "what", "algorithm", "detail"}}. Never a secret.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "engine/engine.h"
#include "term/report.h"

/* Append the step as a line without its end; `number` counts them from 1. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err explain_write(
    const struct engine_step *step, unsigned number, bool json, struct signet_buf *out);

/* Write a step to report->err. */
void explain_step(const struct report *report, const struct engine_step *step, unsigned number);

#endif
