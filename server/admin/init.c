/* signetd init: keys, configuration, store and the operator's invitation of a new relay. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/socket.h"
#include "io/tls_identity.h"
#include "server/admin/data.h"
#include "server/admin/setup.h"

/* Everything that init makes, the file that makes a directory a relay last. */
static const char *const files[] = {DATA_KEY, DATA_CERTIFICATE, DATA_BACKUP_KEY,
    DATA_BACKUP_CERTIFICATE, DATA_STORE, DATA_STORE "-wal", DATA_STORE "-shm",
    DATA_OPERATOR_INVITATION, DATA_CONFIG};

enum { FILE_COUNT = sizeof(files) / sizeof(files[0]) };

static int check_directory(const char *data)
{
    char path[DATA_PATH_SIZE];

    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (data_path(data, files[i], path) != SIGNET_OK)
            return complain(EXIT_FAILED, "the path %s is too long", data);
        if (access(path, F_OK) == 0)
            return complain(EXIT_FAILED,
                "%s is there already: %s is a relay; use another directory", files[i], data);
    }
    if (chmod(data, 0700) != 0)
        return complain(EXIT_FAILED, "cannot use the directory %s: %s", data, strerror(errno));
    return EXIT_DONE;
}

static int make_key(const char *data, const char *key, const char *certificate, const char *host,
    struct signet_id *pin_out)
{
    char key_path[DATA_PATH_SIZE], certificate_path[DATA_PATH_SIZE];
    enum signet_err err;

    if (data_path(data, key, key_path) != SIGNET_OK ||
        data_path(data, certificate, certificate_path) != SIGNET_OK)
        return complain(EXIT_FAILED, "the path %s is too long", data);
    err = tls_make_identity(key_path, certificate_path, host, pin_out);
    if (err == SIGNET_OK)
        return EXIT_DONE;
    if (err == SIGNET_ERR_ARGUMENT)
        return complain(EXIT_USAGE, "\"%s\" cannot be a host name; choose one with --name", host);
    return complain(EXIT_FAILED, "cannot make the key %s: %s", key_path,
        err == SIGNET_ERR_IO ? strerror(errno) : signet_err_text(err));
}

static int write_file(const char *data, const char *file, const struct signet_buf *text)
{
    if (data_write(data, file, signet_buf_span(text)) == SIGNET_OK)
        return EXIT_DONE;
    return complain(EXIT_FAILED, "cannot write %s/%s: %s", data, file, strerror(errno));
}

/* The store, and the invitation by which the operator registers. */
static int make_store(const char *data, const struct config *config, struct invitation *invitation)
{
    struct store_op op = {.uses = 1, .for_operator = true};
    struct signet_library *library = NULL;
    struct signet_buf text = {0};
    struct store *store = NULL;
    int code;

    if ((code = setup_library(&library)) != EXIT_DONE)
        return code;
    code = setup_store(data, config, library, STORE_ADMIN, &store);
    if (code == EXIT_DONE) {
        code = setup_token(store, library, &op, invitation);
        store->ops->close(store);
    }
    if (code == EXIT_DONE && (invitation_write(invitation, &text) != SIGNET_OK ||
                                 signet_buf_append(&text, signet_span_str("\n")) != SIGNET_OK))
        code = complain(
            EXIT_USAGE, "\"%s\" cannot be a host name; choose one with --name", invitation->host);
    if (code == EXIT_DONE)
        code = write_file(data, DATA_OPERATOR_INVITATION, &text);
    store_op_clear(&op);
    signet_buf_free(&text);
    signet_library_free(library);
    return code;
}

static int make_relay(const char *data, const struct config *config, uint16_t port)
{
    struct invitation invitation = {.port = port};
    struct signet_buf text = {0};
    int code;

    (void)snprintf(invitation.host, sizeof(invitation.host), "%s", config->name);
    code = make_key(data, DATA_KEY, DATA_CERTIFICATE, config->name, &invitation.pins[0]);
    if (code != EXIT_DONE)
        return code;
    code =
        make_key(data, DATA_BACKUP_KEY, DATA_BACKUP_CERTIFICATE, config->name, &invitation.pins[1]);
    if (code != EXIT_DONE)
        return code;
    if ((code = make_store(data, config, &invitation)) != EXIT_DONE)
        return code;
    if (config_write(config->name, config->listen, &text) == SIGNET_OK)
        code = write_file(data, DATA_CONFIG, &text);
    else
        code = complain(EXIT_FAILED, "out of memory");
    signet_buf_free(&text);
    return code;
}

/* Of several that are told to make the same relay at once, one does: another would remove what this
 * one has made. */
static int make_locked(const char *data, const struct config *config, uint16_t port)
{
    int code, lock;

    if (mkdir(data, 0700) != 0 && errno != EEXIST)
        return complain(EXIT_FAILED, "cannot make the directory %s: %s", data, strerror(errno));
    if ((code = setup_lock(data, &lock)) != EXIT_DONE)
        return code;
    if ((code = check_directory(data)) == EXIT_DONE &&
        (code = make_relay(data, config, port)) != EXIT_DONE) {
        for (size_t i = 0; i < FILE_COUNT; i++)
            data_remove(data, files[i]);
        data_remove(data, DATA_LOCK);
    }
    (void)close(lock);
    return code;
}

static int run(const struct arguments *arguments)
{
    struct socket_address address;
    struct config config;
    uint16_t port;
    int code;

    config_defaults(&config);
    if (arguments->listen != NULL)
        (void)snprintf(config.listen, sizeof(config.listen), "%s", arguments->listen);
    if (socket_address_parse(config.listen, &address) != SIGNET_OK ||
        config_default_name(config.listen, config.name) != SIGNET_OK)
        return complain(EXIT_USAGE, "--listen takes ADDRESS:PORT, not \"%s\"", arguments->listen);
    if (arguments->name != NULL && (arguments->name[0] == '\0' || strlen(arguments->name) > 255))
        return complain(EXIT_USAGE, "--name takes a host name of at most 255 characters");
    if (arguments->name != NULL)
        (void)snprintf(config.name, sizeof(config.name), "%s", arguments->name);
    /* A relay that is to find itself a port corrects the invitation when it runs. */
    port = socket_port(&address) != 0 ? socket_port(&address) : CONFIG_PORT_DEFAULT;
    if ((code = make_locked(arguments->data, &config, port)) != EXIT_DONE)
        return code;
    (void)fprintf(stderr,
        "signetd: made the relay \"%s\" in %s\n"
        "signetd: start it with: signetd run --data %s\n"
        "signetd: its operator registers with the invitation in %s/%s\n",
        config.name, arguments->data, arguments->data, arguments->data, DATA_OPERATOR_INVITATION);
    return EXIT_DONE;
}

const struct command command_init = {
    .name = "init",
    .usage = "--data DIR [--name HOSTNAME] [--listen ADDR:PORT]",
    .summary = "make a relay: keys, store, and the invitation of its operator",
    .options = " data name listen ",
    .run = run,
};
