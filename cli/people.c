/* Who is behind an address. */
#include "cli/people.h"

#include <stdio.h>
#include <stdlib.h>

static struct person *add(struct people *people)
{
    if (people->count == people->capacity) {
        size_t capacity = people->capacity == 0 ? 16 : people->capacity * 2;
        struct person *all = reallocarray(people->all, capacity, sizeof(*all));

        if (all == NULL)
            return NULL;
        people->all = all;
        people->capacity = capacity;
    }
    return &people->all[people->count];
}

/* Look up one who was not asked for yet. */
static enum signet_err read_person(
    struct people *people, const struct signet_id *address, struct person *person)
{
    struct contact contact = {0};
    enum signet_err err;

    *person = (struct person){.address = *address, .state = CONTACT_NEW};
    signet_id_text(address, person->name);
    err = engine_contact(people->engine, person->name, &contact);
    if (err == SIGNET_ERR_NOMEM || err == SIGNET_ERR_IO || err == SIGNET_ERR_CRYPTO)
        return err;
    if (err == SIGNET_ERR_AUTH)
        people->has_damage = true;
    if (err != SIGNET_OK)
        return SIGNET_OK; /* not known; a damaged contact must not hide its messages */
    person->is_contact = true;
    person->state = contact.state;
    if (contact.name[0] != '\0')
        (void)snprintf(person->name, sizeof(person->name), "%s", contact.name);
    contact_clear(&contact);
    return SIGNET_OK;
}

enum signet_err people_find(
    struct people *people, const struct signet_id *address, const struct person **person_out)
{
    struct person *person;
    enum signet_err err;

    for (size_t i = 0; i < people->count; i++) {
        if (signet_id_equal(&people->all[i].address, address)) {
            *person_out = &people->all[i];
            return SIGNET_OK;
        }
    }
    if ((person = add(people)) == NULL)
        return SIGNET_ERR_NOMEM;
    if ((err = read_person(people, address, person)) != SIGNET_OK)
        return err;
    people->count++;
    *person_out = person;
    return SIGNET_OK;
}

void people_forget(struct people *people)
{
    people->count = 0;
}

void people_clear(struct people *people)
{
    free(people->all);
    people->all = NULL;
    people->count = people->capacity = 0;
}
