/* signetd invite: an invitation, while the relay runs or not. signetd check-config. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/socket.h"
#include "server/admin/data.h"
#include "server/admin/setup.h"

/* The port on which the relay listens: the one it noted while it runs, or the configured one; one
 * that it finds for itself it will find again. */
static int find_port(const char *data, const struct config *config, uint16_t *port_out)
{
    struct socket_address address;
    uint16_t port = data_is_locked(data) ? data_port(data) : 0;

    if (port == 0 && socket_address_parse(config->listen, &address) == SIGNET_OK)
        port = socket_port(&address);
    if (port == 0)
        port = data_port(data);
    if (port == 0)
        return complain(
            EXIT_FAILED, "the relay finds its port when it runs; start it first, or configure one");
    *port_out = port;
    return EXIT_DONE;
}

/* The operator's address, if there is one already. */
static int find_operator(
    struct store *store, struct signet_library *library, struct invitation *invitation)
{
    struct store_op op = {.type = STORE_FIND, .name = "operator"};
    struct signet_card *card = NULL;
    int code = setup_store_once(store, &op);

    if (code == EXIT_DONE && op.answer == STORE_OK &&
        signet_card_read(library, signet_buf_span(&op.card), &card) == SIGNET_OK) {
        invitation->has_operator = true;
        invitation->operator_address = *signet_card_address(card);
    }
    signet_card_free(card);
    store_op_clear(&op);
    return code;
}

static int print(const struct invitation *invitation)
{
    struct signet_buf text = {0};
    int code = EXIT_DONE;

    if (invitation_write(invitation, &text) != SIGNET_OK)
        code = complain(EXIT_FAILED, "\"%s\" cannot be a host name", invitation->host);
    else if (printf("%.*s\n", (int)text.len, (const char *)text.ptr) < 0 || fflush(stdout) != 0)
        code = complain(EXIT_FAILED, "cannot write the invitation");
    signet_buf_free(&text);
    return code;
}

static int make(const char *data, const struct config *config, struct store_op *op)
{
    struct signet_library *library = NULL;
    struct store *store = NULL;
    struct invitation invitation = {0};
    int code;

    (void)snprintf(invitation.host, sizeof(invitation.host), "%s", config->name);
    if ((code = find_port(data, config, &invitation.port)) != EXIT_DONE)
        return code;
    if ((code = setup_pins(data, invitation.pins)) != EXIT_DONE)
        return code;
    if ((code = setup_library(&library)) != EXIT_DONE)
        return code;
    if ((code = setup_store(data, config, library, STORE_ADMIN, &store)) != EXIT_DONE)
        goto out;
    if ((code = find_operator(store, library, &invitation)) != EXIT_DONE)
        goto out;
    if ((code = setup_token(store, library, op, &invitation)) != EXIT_DONE)
        goto out;
    code = print(&invitation);
out:
    if (store != NULL)
        store->ops->close(store);
    signet_library_free(library);
    return code;
}

static int run(const struct arguments *arguments)
{
    const char *expires = arguments->expires != NULL ? arguments->expires : "7d";
    struct store_op op = {.uses = 1};
    struct config config;
    uint64_t duration_ms;
    int code;

    if (arguments->uses != NULL && parse_number(arguments->uses, 1, 1000000, &op.uses) != SIGNET_OK)
        return complain(EXIT_USAGE, "--uses takes 1 to 1000000, not \"%s\"", arguments->uses);
    if (parse_duration(expires, &duration_ms) != SIGNET_OK)
        return complain(
            EXIT_USAGE, "--expires takes a duration like 30m, 12h or 7d, not \"%s\"", expires);
    op.expires_ms = clock_wall_ms() + duration_ms;
    if ((code = setup_config(arguments->data, NULL, &config)) != EXIT_DONE)
        return code;
    code = make(arguments->data, &config, &op);
    store_op_clear(&op);
    return code;
}

const struct command command_invite = {
    .name = "invite",
    .usage = "--data DIR [--uses N] [--expires DURATION]",
    .summary = "print an invitation to register; the default is one use within 7 days",
    .options = " data uses expires ",
    .run = run,
};

static int check_config(const struct arguments *arguments)
{
    struct config config;

    return setup_config("", arguments->file, &config);
}

const struct command command_check_config = {
    .name = "check-config",
    .usage = "FILE",
    .summary = "say what is wrong with a configuration file, if anything",
    .options = "",
    .needs_file = true,
    .run = check_config,
};
