/* Why something that was asked of the engine cannot be done, in words. */
#ifndef CLI_PROBLEM_H
#define CLI_PROBLEM_H

#include "engine/engine.h"
#include "term/report.h"

/* Report an EVENT_FAILED, and return the exit code for it. */
enum exit_code problem_report(const struct report *report, const struct engine_event *event);

#endif
