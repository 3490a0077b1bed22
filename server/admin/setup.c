/* What init, invite and run have in common. */
#include "server/admin/setup.h"

#include <errno.h>
#include <string.h>

#include "crypto/secret.h"
#include "io/clock.h"
#include "io/tls_identity.h"
#include "server/admin/data.h"

int setup_config(const char *data, const char *file, struct config *config_out)
{
    char path[DATA_PATH_SIZE], problem[CONFIG_PROBLEM_SIZE];
    enum signet_err err;

    if (file == NULL && data_path(data, DATA_CONFIG, path) != SIGNET_OK)
        return complain(EXIT_FAILED, "the path %s is too long", data);
    err = config_read(file != NULL ? file : path, config_out, problem);
    if (err == SIGNET_OK)
        return EXIT_DONE;
    if (err == SIGNET_ERR_IO && file == NULL && errno == ENOENT)
        return complain(
            EXIT_FAILED, "%s is not a relay; make one with signetd init --data %s", data, data);
    return complain(EXIT_FAILED, "%s", problem);
}

int setup_lock(const char *data, int *fd_out)
{
    pid_t holder = 0;
    enum signet_err err = data_lock(data, fd_out, &holder);

    if (err == SIGNET_OK)
        return EXIT_DONE;
    if (err == SIGNET_ERR_STATE)
        return complain(
            EXIT_FAILED, "another signetd is using %s (process %ld)", data, (long)holder);
    if (err == SIGNET_ERR_LIMIT)
        return complain(EXIT_FAILED, "the path %s is too long", data);
    return complain(EXIT_FAILED, "cannot lock %s: %s", data, strerror(errno));
}

int setup_pins(const char *data, struct signet_id pins_out[SETUP_PINS])
{
    static const char *const files[SETUP_PINS] = {DATA_KEY, DATA_BACKUP_KEY};
    char path[DATA_PATH_SIZE];

    for (size_t i = 0; i < SETUP_PINS; i++) {
        enum signet_err err = data_path(data, files[i], path);

        if (err == SIGNET_OK)
            err = tls_key_pin(path, &pins_out[i]);
        if (err == SIGNET_ERR_IO)
            return complain(EXIT_FAILED, "cannot read the key %s: %s", path, strerror(errno));
        if (err != SIGNET_OK)
            return complain(EXIT_FAILED, "cannot use the key %s: %s", path, signet_err_text(err));
    }
    return EXIT_DONE;
}

int setup_library(struct signet_library **library_out)
{
    enum signet_err err = signet_library_new(NULL, library_out);

    if (err == SIGNET_OK)
        return EXIT_DONE;
    return complain(EXIT_FAILED, "cannot set up cryptography: %s", signet_err_text(err));
}

int setup_store(const char *data, const struct config *config, struct signet_library *library,
    enum store_mode mode, struct store **store_out)
{
    struct store_limits limits;
    char path[DATA_PATH_SIZE];

    config_store(config, &limits);
    if (data_path(data, DATA_STORE, path) != SIGNET_OK)
        return complain(EXIT_FAILED, "the path %s is too long", data);
    if (store_sqlite_open(path, library, &limits, mode, store_out) == SIGNET_OK)
        return EXIT_DONE;
    return complain(EXIT_FAILED, "cannot open the store %s: %s", path, store_sqlite_open_error());
}

static void ignore_answer(void *ctx, struct store_group *group)
{
    (void)ctx;
    (void)group;
}

static void ignore_delivery(void *ctx, uint64_t connection, struct store_message message)
{
    (void)ctx;
    (void)connection;
    signet_buf_free(&message.envelope);
}

int setup_store_once(struct store *store, struct store_op *op)
{
    static const struct store_sink sink = {NULL, ignore_answer, ignore_delivery, NULL};
    struct store_group group = {.now_ms = clock_wall_ms()};
    char problem[256];

    store->ops->attach(store, 0, &sink);
    store_group_add(&group, op);
    store->ops->submit(store, &group);
    (void)store_sqlite_step(store);
    if (group.result == STORE_DONE)
        return EXIT_DONE;
    store_sqlite_error(store, problem, sizeof(problem));
    return complain(EXIT_FAILED, "cannot write the store: %s", problem);
}

int setup_token(struct store *store, struct signet_library *library, struct store_op *op,
    struct invitation *invitation)
{
    enum signet_err err = crypto_random_secret(library, op->token, sizeof(op->token));
    int code;

    if (err != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot make a token: %s", signet_err_text(err));
    op->type = STORE_INVITE_ADD;
    op->has_token = true;
    if ((code = setup_store_once(store, op)) != EXIT_DONE)
        return code;
    if (op->answer != STORE_OK)
        return complain(EXIT_FAILED, "cannot store the invitation");
    memcpy(invitation->token, op->token, sizeof(op->token));
    return EXIT_DONE;
}
