/* Who is behind an address: contacts' names for what is shown, read once each. */
#ifndef CLI_PEOPLE_H
#define CLI_PEOPLE_H

#include "engine/engine.h"

struct person {
    char name[SIGNET_ID_TEXT_SIZE]; /* the local name, or the fingerprint where none is known */
    enum contact_state state;
    bool is_contact; /* `state` says something */
    struct signet_id address;
};

struct people {
    struct engine *engine; /* borrowed */
    struct person *all;
    size_t count, capacity;
    bool has_damage; /* the record of one of those that were looked up cannot be read */
};

/* Borrowed until the next call. Errors: IO, NOMEM, CRYPTO. */
SIGNET_MUST_USE enum signet_err people_find(
    struct people *people, const struct signet_id *address, const struct person **person_out);
/* Contacts have changed: read them again. */
void people_forget(struct people *people);
/* Free what it owns; the people may be used again. */
void people_clear(struct people *people);

#endif
