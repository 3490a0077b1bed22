/*
 * What a call of the engine brings about: changes to commit, frames to send, events to act on, in
 * this order (engine.h).
 */
#ifndef ENGINE_OUTPUT_H
#define ENGINE_OUTPUT_H

#include <signet/id.h>

#include "engine/problem.h"
#include "engine/records.h"

enum engine_event_type {
    EVENT_STEP,       /* a cryptographic step, when explaining */
    EVENT_REGISTERED, /* the account now has its name at the relay */
    EVENT_READY,      /* logged in, own card and bundle are in order */
    EVENT_MESSAGE,    /* a message was received (or refused) and stored */
    EVENT_ACCEPTED,   /* the relay has accepted a message we sent */
    EVENT_QUEUED,     /* a message is in the outbox and will be sent later */
    EVENT_FAILED,     /* what was asked for cannot be done: see `problem` */
    EVENT_DRAINED,    /* all that waited at the relay has been received */
    EVENT_CONTACT,    /* a contact became known, got its name, or changed */
    EVENT_NOTE,       /* something the person should know; see `text` */
};

/* One step of --explain. */
struct engine_step {
    const char *serves;    /* "confidentiality", "integrity", "authentication", several, or "" */
    const char *what;      /* "session key wrapped with RSA" */
    const char *algorithm; /* "RSA-OAEP, SHA-256" */
    char detail[320];      /* sizes, fingerprints, verdict; never a secret */
};

struct engine_event {
    struct engine_event *next;
    enum engine_event_type type;
    enum engine_problem problem;   /* FAILED */
    uint64_t token;                /* ACCEPTED, QUEUED, FAILED: of the engine_send it answers; 0: of
                                      none of this process */
    uint64_t number;               /* MESSAGE: its place; ACCEPTED: of the message sent */
    struct signet_id conversation; /* MESSAGE, ACCEPTED */
    struct signet_id id;           /* ACCEPTED, QUEUED: entry (QUEUED: may be zero) */
    struct signet_id address;      /* CONTACT; MESSAGE: the sender; FAILED with IDENTITY: the new
                                      identity */
    uint64_t at;                   /* ACCEPTED: ms */
    struct engine_step step;       /* STEP */
    char text[256];                /* NOTE; FAILED: whom or what it is about (may be from others) */
};

/* One WebSocket message to send. */
struct engine_frame {
    struct engine_frame *next;
    struct signet_buf bytes;
};

struct engine_output {
    struct record_batch changes;
    struct engine_frame *first_frame, *last_frame;
    struct engine_event *first_event, *last_event;
};

/* Free all that is in an output; it is empty then. */
void engine_output_clear(struct engine_output *output);
/* Take the first event off; NULL: none. The caller frees it with free. */
struct engine_event *engine_output_event(struct engine_output *output);
/* Take the first frame off; NULL: none. */
struct engine_frame *engine_output_frame(struct engine_output *output);
void engine_frame_free(struct engine_frame *frame);

#endif
