/* The end of a chat: what is on its way is waited for, and what is kept is told. */
#include "cli/chat/state.h"
#include "io/clock.h"

/* How long somebody who wants to leave is kept; a program has patience. */
enum { LEAVE_MS = 10000 };

void chat_leave_if_done(struct chat *chat)
{
    size_t kept = chat->pending.kept;

    if (!chat->is_leaving || pending_in_flight(&chat->pending) > 0 || agent_has_ended(&chat->agent))
        return;
    if (kept > 0) {
        editor_stop(chat->editor);
        report_error(chat->context->report, "queued",
            "the next signet command that reaches the relay sends what is queued",
            "%zu message%s not accepted yet: kept in the outbox", kept,
            kept == 1 ? " is" : "s are");
    }
    agent_end(&chat->agent, chat->has_failed || kept > 0 ? EXIT_FAILED : EXIT_DONE);
}

static void on_late(uv_timer_t *timer)
{
    struct chat *chat = timer->data;

    agent_give_up(&chat->agent); /* what was kept and what was not is told before the end */
}

void chat_leave(struct chat *chat)
{
    uv_update_time(agent_loop(&chat->agent)); /* what was read last may have taken seconds */
    if (!chat->is_leaving && chat->editor != NULL)
        (void)uv_timer_start(&chat->leave, on_late, LEAVE_MS * clock_patience(), 0);
    chat->is_leaving = true;
    chat_leave_if_done(chat);
}
