/* Why something that was asked of the engine cannot be done. */
#ifndef ENGINE_PROBLEM_H
#define ENGINE_PROBLEM_H

#include <stdbool.h>

/* Why something failed; each has its word, its sentence and its exit code (engine_problem_*). */
enum engine_problem {
    PROBLEM_NONE,
    PROBLEM_UNKNOWN_NAME, /* the relay knows no such name or address */
    PROBLEM_BAD_NAME,     /* neither a name nor a fingerprint */
    PROBLEM_SELF,         /* to oneself */
    PROBLEM_TEXT,         /* empty, over 64 KiB, or not UTF-8 */
    PROBLEM_NAME_TAKEN,   /* join */
    PROBLEM_NAME_NOT_ALLOWED,
    PROBLEM_INVITATION, /* wrong, used up or expired */
    PROBLEM_CLOSED,     /* registration is closed */
    PROBLEM_CLOCK,      /* our clock is more than 24 h off the relay's */
    PROBLEM_LOGIN,      /* the relay refuses the login */
    PROBLEM_OLD_STORE,  /* this home is an older copy: sending would use keys again */
    PROBLEM_IDENTITY,   /* the contact's identity changed: exit 3 */
    PROBLEM_LIST,       /* the contact's device list is forked: exit 3 */
    PROBLEM_ROLLBACK,   /* the contact's device list is older than one seen before: exit 3 */
    PROBLEM_CARD,       /* what the relay gives as card or bundle does not verify: exit 3 */
    PROBLEM_EXPIRED,    /* the contact's device list or bundle has expired */
    PROBLEM_NO_BUNDLE,  /* the contact has no prekeys at the relay */
    PROBLEM_FULL,       /* the contact's mailbox is full; kept in the outbox */
    PROBLEM_OFTEN,      /* the relay asks us to slow down; kept in the outbox */
    PROBLEM_RELAY,      /* the relay cannot store now, or answers nonsense; kept */
    PROBLEM_NOT_NOW,    /* the same, of a registration: to be tried again */
    PROBLEM_SILENT,     /* the relay has not answered for 30 seconds; kept */
    PROBLEM_OFFLINE,    /* not a contact yet, and the relay cannot be asked; not kept */
    PROBLEM_GONE,       /* the contact's account is not there any more */
    PROBLEM_DEVICE,     /* the relay does not know the contact's device; kept in the outbox */
};

/* A word for scripts: "unknown-name". */
const char *engine_problem_word(enum engine_problem problem);
/* What was wrong; %s-free: the event's text says about whom. */
const char *engine_problem_text(enum engine_problem problem);
/* What to do about it; NULL: nothing to say. */
const char *engine_problem_hint(enum engine_problem problem);
/* Whether the message is in the outbox all the same. */
bool engine_problem_is_kept(enum engine_problem problem);
/* Whether it is a failed verification (exit code 3). */
bool engine_problem_is_refusal(enum engine_problem problem);

#endif
