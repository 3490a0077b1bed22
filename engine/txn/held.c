/* Holding messages back until their sender's name is known. */
#include "engine/txn/held.h"

#include <stdlib.h>

enum {
    HELD_MAX = 64,  /* a relay that does not answer must not keep messages from the person, */
    HELD_MS = 5000, /* nor for long */
};

/* Until when the name of an address is awaited; 0: it is not. */
static uint64_t awaited_until(const struct requests *requests, const struct signet_id *address)
{
    for (const struct request *r = requests->first; r != NULL; r = r->next) {
        if (r->type == REQUEST_FIND_ADDRESS && !r->is_given_up &&
            signet_id_equal(&r->address, address))
            return r->asked_at + HELD_MS;
    }
    return 0;
}

uint64_t held_until(const struct held *held, const struct requests *requests)
{
    uint64_t first = UINT64_MAX;

    for (const struct engine_event *event = held->first; event != NULL; event = event->next) {
        uint64_t until = awaited_until(requests, &event->address);

        if (event->type == EVENT_MESSAGE && until < first)
            first = until;
    }
    return first;
}

/* A message to be shown with a name; or the end of what waited, where such a message is held. */
static bool is_to_hold(const struct txn *t, const struct engine_event *event)
{
    if (event->type == EVENT_MESSAGE)
        return awaited_until(t->requests, &event->address) > t->now_ms;
    return event->type == EVENT_DRAINED && t->held->first != NULL;
}

/* Take out of the events those that tell who somebody is. */
static struct engine_event *take_contacts(struct engine_output *output)
{
    struct engine_event *event = output->first_event, *first = NULL, *last = NULL, *next;

    output->first_event = output->last_event = NULL;
    for (; event != NULL; event = next) {
        next = event->next;
        event->next = NULL;
        if (event->type == EVENT_CONTACT)
            event_append(&first, &last, event);
        else
            event_append(&output->first_event, &output->last_event, event);
    }
    return first;
}

void held_sort(struct txn *t)
{
    /* Who somebody is, before what they have said; and what is held already is older than what this
     * call brought. */
    struct engine_event *lists[3] = {take_contacts(t->output), t->held->first};
    bool has_room = t->held->count < HELD_MAX;

    lists[2] = t->output->first_event;
    t->held->first = t->held->last = NULL;
    t->output->first_event = t->output->last_event = NULL;
    t->held->count = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct engine_event *next;

        for (struct engine_event *event = lists[i]; event != NULL; event = next) {
            next = event->next;
            event->next = NULL;
            if (has_room && is_to_hold(t, event)) {
                event_append(&t->held->first, &t->held->last, event);
                t->held->count++;
            } else {
                event_append(&t->output->first_event, &t->output->last_event, event);
            }
        }
    }
}

void held_free(struct held *held)
{
    while (held->first != NULL) {
        struct engine_event *event = held->first;

        held->first = event->next;
        free(event);
    }
}
