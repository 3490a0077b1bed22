/* Opening, reloading and closing a relay. */
#include "server/relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/socket.h"
#include "server/admin/data.h"
#include "server/store/sqlite/store_sqlite.h"

enum { THREADS_DEFAULT = 4 };

/* ---- configuration ---- */

/* The file, and what the command line says over it. */
static int load_config(const struct arguments *arguments, struct config *config)
{
    struct socket_address address;
    int code = setup_config(arguments->data, arguments->config, config);

    if (code != EXIT_DONE)
        return code;
    if (arguments->listen != NULL &&
        (socket_address_parse(arguments->listen, &address) != SIGNET_OK ||
            strlen(arguments->listen) >= sizeof(config->listen)))
        return complain(EXIT_USAGE, "--listen takes ADDRESS:PORT, not \"%s\"", arguments->listen);
    if (arguments->listen != NULL)
        (void)snprintf(config->listen, sizeof(config->listen), "%s", arguments->listen);
    if (arguments->threads != NULL &&
        parse_number(arguments->threads, 1, CONFIG_THREADS_MAX, &config->threads) != SIGNET_OK)
        return complain(EXIT_USAGE, "--threads takes 1 to %d, not \"%s\"", CONFIG_THREADS_MAX,
            arguments->threads);
    if (config->threads == 0) {
        unsigned cores = uv_available_parallelism();

        config->threads = cores < THREADS_DEFAULT ? cores : THREADS_DEFAULT;
    }
    return EXIT_DONE;
}

/* A context for one worker. Whatever the certificate, its key is one that invitations name. */
static int load_tls(
    const struct relay *relay, const struct config *config, struct tls_context **tls_out)
{
    char certificate[DATA_PATH_SIZE], key[DATA_PATH_SIZE];
    struct tls_context *tls = NULL;
    enum signet_err err;

    if (data_path(relay->arguments->data, DATA_CERTIFICATE, certificate) != SIGNET_OK ||
        data_path(relay->arguments->data, DATA_KEY, key) != SIGNET_OK)
        return complain(EXIT_FAILED, "the path %s is too long", relay->arguments->data);
    if (config->certificate[0] != '\0') {
        (void)snprintf(certificate, sizeof(certificate), "%s", config->certificate);
        (void)snprintf(key, sizeof(key), "%s", config->key);
    }
    err = tls_server_new(certificate, key, &tls);
    if (err != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot use the certificate %s with the key %s: %s",
            certificate, key, err == SIGNET_ERR_IO ? strerror(errno) : signet_err_text(err));
    for (size_t i = 0; i < SETUP_PINS; i++)
        if (signet_id_equal(tls_context_pin(tls), &relay->pins[i])) {
            *tls_out = tls;
            return EXIT_DONE;
        }
    tls_context_free(tls);
    return complain(EXIT_FAILED,
        "the key %s is not pinned by invitations; use %s or %s of the relay", key, DATA_KEY,
        DATA_BACKUP_KEY);
}

static void core_config(const struct relay *relay, uint32_t number, struct core_config *core)
{
    *core = (struct core_config){.worker = number, .log = relay->log};
    config_core(&relay->config, core);
    core->store_problem = store_sqlite_error;
}

/* ---- listening ---- */

/* Where any port will do, the one of the last run is the best: invitations name it. */
static void prefer_last_port(const struct relay *relay, struct socket_address *address)
{
    struct socket_address last = *address;
    uint16_t port = data_port(relay->arguments->data);

    if (socket_port(address) != 0 || port == 0)
        return;
    if (address->u.any.sa_family == AF_INET)
        last.u.v4.sin_port = htons(port);
    else
        last.u.v6.sin6_port = htons(port);
    if (socket_check_free(&last) == SIGNET_OK)
        *address = last;
}

static int cannot_listen(const struct relay *relay)
{
    if (errno == EAFNOSUPPORT)
        return complain(EXIT_FAILED,
            "cannot listen on %s: this machine has no IPv6; 0.0.0.0:PORT is every address of IPv4",
            relay->config.listen);
    return complain(EXIT_FAILED, "cannot listen on %s: %s; choose another address with --listen",
        relay->config.listen, strerror(errno));
}

static int open_worker(
    struct relay *relay, struct socket_address *address, uint32_t number, uv_async_t *stopped)
{
    struct worker_setup setup = {
        .store = relay->store,
        .library = relay->library,
        .all = relay->workers,
        .count = (size_t)relay->config.threads,
        .stopped = stopped,
        .addresses = relay->addresses,
    };
    enum signet_err err;
    int code;

    core_config(relay, number, &setup.core);
    setup.core.ids = &relay->ids;
    if ((code = load_tls(relay, &relay->config, &setup.tls)) != EXIT_DONE)
        return code;
    /* The first one may find a port; the others join it there. */
    if (socket_listen(address, &setup.listener, address) != SIGNET_OK) {
        code = cannot_listen(relay);
        tls_context_free(setup.tls);
        return code;
    }
    err = worker_new(&setup, &relay->workers[number]);
    if (err != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot start: %s", signet_err_text(err));
    relay->worker_count++;
    return EXIT_DONE;
}

static int open_workers(struct relay *relay, struct socket_address *address, uv_async_t *stopped)
{
    int code;

    if (socket_address_parse(relay->config.listen, address) != SIGNET_OK)
        return complain(EXIT_FAILED, "listen is not ADDRESS:PORT: %s", relay->config.listen);
    if (socket_check_free(address) != SIGNET_OK)
        return cannot_listen(relay);
    prefer_last_port(relay, address);
    for (uint32_t i = 0; i < relay->config.threads; i++)
        if ((code = open_worker(relay, address, i, stopped)) != EXIT_DONE)
            return code;
    for (size_t i = 0; i < relay->worker_count; i++)
        if (worker_start(relay->workers[i]) != SIGNET_OK)
            return complain(EXIT_FAILED, "cannot start a thread");
    socket_address_text(address, relay->listen);
    return EXIT_DONE;
}

/* ---- the port, for those who make invitations ---- */

/* The operator's invitation was made before the port was known. */
static void correct_invitation(const char *data, uint16_t port)
{
    struct invitation invitation;
    struct signet_buf text = {0};

    if (data_read(data, DATA_OPERATOR_INVITATION, INVITATION_TEXT_MAX, &text) == SIGNET_OK &&
        signet_buf_append(&text, signet_span_of("", 1)) == SIGNET_OK &&
        invitation_read((const char *)text.ptr, &invitation) == SIGNET_OK &&
        invitation.port != port) {
        invitation.port = port;
        signet_buf_truncate(&text, 0);
        if (invitation_write(&invitation, &text) != SIGNET_OK ||
            signet_buf_append(&text, signet_span_str("\n")) != SIGNET_OK ||
            data_write(data, DATA_OPERATOR_INVITATION, signet_buf_span(&text)) != SIGNET_OK)
            (void)complain(EXIT_FAILED, "cannot correct %s", DATA_OPERATOR_INVITATION);
    }
    signet_buf_free(&text);
}

static int note_port(const struct relay *relay, uint16_t port)
{
    const char *data = relay->arguments->data;
    char text[8];

    (void)snprintf(text, sizeof(text), "%u\n", port);
    if (data_write(data, DATA_PORT, signet_span_str(text)) != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot write %s/%s: %s", data, DATA_PORT, strerror(errno));
    correct_invitation(data, port);
    return EXIT_DONE;
}

/* ---- beginning and end ---- */

int relay_open(struct relay *relay, const struct arguments *arguments, uv_async_t *stopped)
{
    struct socket_address address;
    int code;

    *relay = (struct relay){.arguments = arguments, .lock = -1};
    relay->logs[LOG_TEXT] = (struct log){2, LOG_TEXT, LOG_INFO};
    relay->logs[LOG_JSON] = (struct log){2, LOG_JSON, LOG_INFO};
    if ((code = load_config(arguments, &relay->config)) != EXIT_DONE)
        return code;
    relay->log = &relay->logs[relay->config.log];
    if ((code = setup_lock(arguments->data, &relay->lock)) != EXIT_DONE)
        return code;
    if ((code = setup_pins(arguments->data, relay->pins)) != EXIT_DONE)
        return code;
    if ((code = setup_library(&relay->library)) != EXIT_DONE)
        return code;
    code =
        setup_store(arguments->data, &relay->config, relay->library, STORE_THREADED, &relay->store);
    if (code != EXIT_DONE)
        return code;
    /* Above every id that is in use: a clock that was set back gives none a second time. */
    message_ids_init(&relay->ids, 0, store_sqlite_last_id(relay->store));
    if (addresses_new(relay->config.connections_per_address, &relay->addresses) != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot start: out of memory");
    if ((code = open_workers(relay, &address, stopped)) != EXIT_DONE)
        return code;
    if ((code = note_port(relay, socket_port(&address))) != EXIT_DONE)
        return code;
    log_write(relay->log, LOG_INFO, "relay.ready", LOG_STR("listen", relay->listen),
        LOG_STR("name", relay->config.name), LOG_U64("threads", relay->config.threads), LOG_END);
    return EXIT_DONE;
}

/* Every worker gets what it needs, or none of them. */
static int load_all_tls(const struct relay *relay, const struct config *config,
    struct tls_context *tls[CONFIG_THREADS_MAX])
{
    for (size_t i = 0; i < relay->worker_count; i++) {
        int code = load_tls(relay, config, &tls[i]);

        if (code == EXIT_DONE)
            continue;
        while (i > 0)
            tls_context_free(tls[--i]);
        return code;
    }
    return EXIT_DONE;
}

void relay_reload(struct relay *relay)
{
    struct tls_context *tls[CONFIG_THREADS_MAX];
    struct store_limits limits;
    struct config config;

    if (load_config(relay->arguments, &config) != EXIT_DONE ||
        load_all_tls(relay, &config, tls) != EXIT_DONE) {
        log_write(relay->log, LOG_ERROR, "config.refused", LOG_END);
        return;
    }
    if (strcmp(config.name, relay->config.name) != 0 ||
        strcmp(config.listen, relay->config.listen) != 0 || config.threads != relay->config.threads)
        log_write(relay->log, LOG_WARN, "config.restart_needed",
            LOG_STR("for", "name, listen and threads"), LOG_END);
    memcpy(config.name, relay->config.name, sizeof(config.name));
    memcpy(config.listen, relay->config.listen, sizeof(config.listen));
    config.threads = relay->config.threads;
    relay->config = config;
    relay->log = &relay->logs[config.log];
    config_store(&config, &limits);
    relay->store->ops->set_limits(relay->store, &limits);
    addresses_set_max(relay->addresses, config.connections_per_address);
    for (size_t i = 0; i < relay->worker_count; i++) {
        struct core_config core;

        core_config(relay, (uint32_t)i, &core);
        core.ids = &relay->ids;
        worker_configure(relay->workers[i], &core, tls[i]);
    }
    log_write(relay->log, LOG_INFO, "config.reloaded", LOG_END);
}

void relay_stop(struct relay *relay)
{
    for (size_t i = 0; i < relay->worker_count; i++)
        worker_stop(relay->workers[i]);
}

bool relay_has_stopped(const struct relay *relay)
{
    for (size_t i = 0; i < relay->worker_count; i++)
        if (!worker_has_stopped(relay->workers[i]))
            return false;
    return true;
}

void relay_close(struct relay *relay)
{
    for (size_t i = 0; i < relay->worker_count; i++)
        worker_join(relay->workers[i]);
    if (relay->store != NULL)
        relay->store->ops->close(relay->store);
    for (size_t i = 0; i < relay->worker_count; i++)
        worker_free(relay->workers[i]);
    addresses_free(relay->addresses);
    signet_library_free(relay->library);
    if (relay->lock >= 0)
        (void)close(relay->lock);
}
