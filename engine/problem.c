/* The words for what can go wrong. */
#include "engine/problem.h"

#include <stddef.h>

static const struct {
    enum engine_problem problem;
    bool is_refusal;
    const char *word, *text, *hint;
} table[] = {
    {PROBLEM_UNKNOWN_NAME, false, "unknown-name", "the relay knows no such name or address",
        "check the spelling, or ask them whether they have joined this relay"},
    {PROBLEM_BAD_NAME, false, "bad-name", "neither a name nor a fingerprint",
        "names are made of a-z, 0-9, '.', '_' and '-'; fingerprints of 64 hexadecimal digits"},
    {PROBLEM_SELF, false, "self", "that is you", "name somebody else"},
    {PROBLEM_TEXT, false, "bad-text", "a message is 1 to 65536 bytes of UTF-8", NULL},
    {PROBLEM_NAME_TAKEN, false, "name-taken", "the name belongs to somebody else",
        "join again with another --name; the invitation is still good"},
    {PROBLEM_NAME_NOT_ALLOWED, false, "name-not-allowed",
        "the name needs another invitation than this one",
        "join with another --name; `operator` is for the operator's invitation"},
    {PROBLEM_INVITATION, false, "invitation", "the invitation is wrong, used up or expired",
        "ask for a new one"},
    {PROBLEM_CLOSED, false, "closed", "the relay takes no registrations", "ask its operator"},
    {PROBLEM_CLOCK, false, "clock", "this machine's clock is more than a day off the relay's clock",
        "set the clock, then try again"},
    {PROBLEM_LOGIN, false, "login", "the relay does not accept this login",
        "its data may have been replaced, or this device removed; ask its operator"},
    {PROBLEM_OLD_STORE, false, "old-store",
        "this home is an older copy of itself: sending would use keys a second time",
        "use the newest copy, or join again as a new account"},
    {PROBLEM_IDENTITY, true, "identity-changed",
        "the identity behind this name has changed without being announced",
        "compare fingerprints in person, then `signet contacts accept FINGERPRINT`"},
    {PROBLEM_LIST, true, "device-list", "their account has signed two device lists for one place",
        "ask them in person which devices they have; `signet contacts accept FINGERPRINT` goes on"},
    {PROBLEM_ROLLBACK, true, "device-list",
        "the relay shows a device list that is older than one seen before",
        "it may hide that a device was removed: do not continue over this relay; ask its operator"},
    {PROBLEM_CARD, true, "not-verified", "what the relay shows as their keys does not verify",
        "do not continue over this relay; ask its operator"},
    {PROBLEM_EXPIRED, false, "expired", "their keys have expired, or are not valid yet",
        "they must connect once, with their clock right, so that their client renews them"},
    {PROBLEM_NO_BUNDLE, false, "no-prekeys", "they have published no keys to start a session with",
        "they must connect once"},
    {PROBLEM_FULL, false, "mailbox-full", "their mailbox is full; the message is kept",
        "it goes out with the next command that connects, once there is room"},
    {PROBLEM_OFTEN, false, "too-often", "the relay asks to slow down; what is to be sent is kept",
        "it goes out later, or with the next command that connects"},
    {PROBLEM_RELAY, false, "relay", "the relay cannot store now; what is to be sent is kept",
        "it goes out later, or with the next command that connects"},
    {PROBLEM_NOT_NOW, false, "relay", "the relay cannot store now; nothing is lost",
        "try again in a moment"},
    {PROBLEM_SILENT, false, "no-answer",
        "the relay has not answered for 30 seconds; what waits in the outbox is kept",
        "it goes out later, or with the next command that connects"},
    {PROBLEM_OFFLINE, false, "offline",
        "not a contact yet, and the relay cannot be asked: nothing was sent or kept",
        "try again when the relay can be reached"},
    {PROBLEM_GONE, false, "gone", "their device is not at this relay any more",
        "ask them whether they have joined again"},
    {PROBLEM_DEVICE, false, "unknown-device",
        "the relay does not know their device; the message is kept",
        "it goes out once it does, or their device list names another; ask them whether they have "
        "joined again"},
};

static size_t find(enum engine_problem problem)
{
    size_t i = 0;

    while (i + 1 < sizeof(table) / sizeof(table[0]) && table[i].problem != problem)
        i++;
    return i;
}

const char *engine_problem_word(enum engine_problem problem)
{
    return table[find(problem)].word;
}

const char *engine_problem_text(enum engine_problem problem)
{
    return table[find(problem)].text;
}

const char *engine_problem_hint(enum engine_problem problem)
{
    return table[find(problem)].hint;
}

bool engine_problem_is_kept(enum engine_problem problem)
{
    switch (problem) {
    case PROBLEM_FULL:
    case PROBLEM_OFTEN:
    case PROBLEM_RELAY:
    case PROBLEM_SILENT:
    case PROBLEM_DEVICE: return true;
    default: return false;
    }
}

bool engine_problem_is_refusal(enum engine_problem problem)
{
    return table[find(problem)].is_refusal;
}
