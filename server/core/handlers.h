/* The handlers: one for each message of a client. */
#ifndef SERVER_CORE_HANDLERS_H
#define SERVER_CORE_HANDLERS_H

#include "wire/relay_message.h"

struct relay_core;
struct conn;

/* `raw` is the encoded message; errors close the connection. */
typedef enum signet_err handler(struct relay_core *core, struct conn *conn,
    const struct relay_message *message, signet_span raw);

handler handle_register, handle_login;            /* handle_register.c, handle_login.c */
handler handle_find, handle_take;                 /* handle_directory.c */
handler handle_put_card, handle_put_bundle;       /* handle_publish.c */
handler handle_put, handle_subscribe, handle_ack; /* handle_mailbox.c */

#endif
