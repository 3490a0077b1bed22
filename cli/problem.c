/* What has failed at the engine, told to the person. */
#include "cli/problem.h"

enum exit_code problem_report(const struct report *report, const struct engine_event *event)
{
    enum engine_problem problem = event->problem;

    report_error(report, engine_problem_word(problem), engine_problem_hint(problem), "%s%s%s",
        event->text, event->text[0] == '\0' ? "" : ": ", engine_problem_text(problem));
    return engine_problem_is_refusal(problem) ? EXIT_REFUSED : EXIT_FAILED;
}
