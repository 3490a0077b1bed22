/* A contact as it is stored: RECORD_CONTACT under its address. */
#ifndef ENGINE_CONTACT_H
#define ENGINE_CONTACT_H

#include <signet/card.h>

enum {
    CONTACT_NAME_MAX = 32,
    CONTACT_LISTS_MAX = 16,
};

/* The numbers are stored. */
enum contact_state {
    CONTACT_NEW = 0,        /* wrote to us; we have not answered */
    CONTACT_UNVERIFIED = 1, /* we write to it; its name was taken from the directory on trust */
    CONTACT_CONFIRMED = 2,  /* its fingerprint was compared in person */
};

/* The newest bundle seen of a device: lower ones are refused. */
struct contact_device {
    struct signet_id device;
    uint64_t bundle_version, suite;
    struct signet_id bundle;
    bool
        is_expired; /* that bundle was seen expired: stays refused, whatever the clock says later */
};

struct contact {
    struct signet_id address;
    char name[CONTACT_NAME_MAX + 1]; /* empty: none is known */
    enum contact_state state;
    struct signet_card *card; /* the newest accepted */
    uint64_t fetched_at;      /* ms: when the relay was last asked for it */
    bool is_expired;          /* its card was seen expired: stays refused until a newer one */
    bool has_changed;         /* its name now belongs to another identity, at `changed_to` */
    struct signet_id changed_to;
    bool
        has_forked; /* two lists were signed for one place; this is the one that is not on `card` */
    struct signet_id forked_list;
    struct signet_id named_list; /* the own list that its last entry named; zero: none */
    size_t list_count;
    struct signet_id lists[CONTACT_LISTS_MAX]; /* ids of its lists that we know, oldest first */
    size_t device_count;
    struct contact_device devices[SIGNET_CARD_DEVICES_MAX];
};

/* "new", "unverified", "confirmed" */
const char *contact_state_word(enum contact_state state);

/* Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err contact_encode(
    const struct contact *contact, struct signet_buf *out);
/* Errors: FORMAT and those of signet_card_read. */
SIGNET_MUST_USE enum signet_err contact_decode(
    struct signet_library *library, signet_span value, struct contact *contact_out);
/* Free what it owns and zero it. */
void contact_clear(struct contact *contact);

/* Remember a list as known; the oldest is given up where there is no room. */
void contact_add_list(struct contact *contact, const struct signet_id *list);
/* The two lists contradict each other: sending stops until a person decides. */
void contact_note_fork(struct contact *contact, const struct signet_card *other);
/* The record of a device; made where there is none, if need be in place of a device that is not on
 * the card any more. NULL: no room; never for a device on the card. */
struct contact_device *contact_find_device(struct contact *contact, const struct signet_id *device);

#endif
