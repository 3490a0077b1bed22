/* The threaded store: two workers submit at once, and are answered through their own sinks. */
#include "tests/support/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/store/sqlite/store_sqlite.h"

enum { WORKERS = 2, GROUPS = 150, PUTS = 4, MESSAGES = GROUPS * PUTS };

struct worker {
    uint32_t number;
    struct store *store;
    pthread_mutex_t lock; /* over what the sink writes */
    pthread_cond_t changed;
    size_t done, not_done; /* groups answered */
    size_t refused;        /* operations */
    size_t delivered;
    uint64_t last_id; /* of the messages delivered; they come in order */
    bool is_disordered, is_foreign;
};

static struct signet_id id_of(unsigned number)
{
    struct signet_id id;

    memset(&id, (int)number, sizeof(id));
    return id;
}

static void answered(void *ctx, struct store_group *group)
{
    struct worker *worker = ctx;

    pthread_mutex_lock(&worker->lock);
    for (const struct store_op *op = group->first; op != NULL; op = op->next)
        worker->refused += op->answer != STORE_OK;
    worker->done += group->result == STORE_DONE;
    worker->not_done += group->result != STORE_DONE;
    worker->is_foreign |= group->worker != worker->number;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    store_group_free(group);
}

static void delivered(void *ctx, uint64_t connection, struct store_message message)
{
    struct worker *worker = ctx;

    pthread_mutex_lock(&worker->lock);
    worker->delivered++;
    worker->is_disordered |= message.id <= worker->last_id;
    worker->last_id = message.id;
    worker->is_foreign |= connection != 1000 + worker->number;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    signet_buf_free(&message.envelope);
}

static void wait_for(struct worker *worker, size_t done, size_t delivered_count)
{
    pthread_mutex_lock(&worker->lock);
    while (worker->done + worker->not_done < done || worker->delivered < delivered_count)
        pthread_cond_wait(&worker->changed, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

static struct store_group *new_group(const struct worker *worker)
{
    struct store_group *group = calloc(1, sizeof(*group));

    if (group == NULL)
        abort();
    group->worker = worker->number;
    group->now_ms = 1000000;
    return group;
}

static struct store_op *new_op(struct store_group *group, enum store_op_type type)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (op == NULL)
        abort();
    op->type = type;
    store_group_add(group, op);
    return op;
}

static void submit(const struct worker *worker, struct store_group *group)
{
    worker->store->ops->submit(worker->store, group);
}

/* Register an account whose device is that of the worker, and log it in here. */
static void log_in(struct worker *worker)
{
    struct store_group *group = new_group(worker);
    struct store_op *op = new_op(group, STORE_REGISTER);

    (void)snprintf(op->name, sizeof(op->name), "worker%u", (unsigned)worker->number);
    op->address = op->list = id_of(worker->number + 1);
    op->devices[op->device_count++] = id_of(worker->number + 10);
    op = new_op(group, STORE_CLAIM);
    op->address = id_of(worker->number + 1);
    op->device = id_of(worker->number + 10);
    op->route = (struct store_route){worker->number, 1000 + worker->number};
    submit(worker, group);
    wait_for(worker, 1, 0);
}

/* To the other worker's device. */
static void put(const struct worker *worker, struct store_group *group, uint64_t message_id)
{
    struct store_op *op = new_op(group, STORE_PUT);

    op->device = id_of(WORKERS - 1 - worker->number + 10);
    op->message_id = message_id;
    op->expires_ms = 2000000;
    if (signet_buf_append(&op->envelope, signet_span_str("envelope")) != SIGNET_OK)
        abort();
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    uint64_t next = worker->number + 1;

    for (size_t i = 0; i < GROUPS; i++) {
        struct store_group *group = new_group(worker);

        for (size_t k = 0; k < PUTS; k++, next += WORKERS)
            put(worker, group, next);
        submit(worker, group);
        if (i % 8 == 7)
            wait_for(worker, i, 0); /* as a loop that has other things to do: some at once */
    }
    wait_for(worker, 1 + GROUPS, MESSAGES);
    return NULL;
}

static void attach_all(struct store *store, struct worker workers[WORKERS])
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct store_sink sink = {&workers[i], answered, delivered, NULL};

        workers[i] = (struct worker){.number = i, .store = store};
        CHECK(pthread_mutex_init(&workers[i].lock, NULL) == 0);
        CHECK(pthread_cond_init(&workers[i].changed, NULL) == 0);
        store->ops->attach(store, i, &sink);
    }
}

static void check_and_free(struct worker *worker, size_t groups, size_t messages)
{
    CHECK(worker->done == groups && worker->not_done == 0 && worker->refused == 0);
    CHECK(worker->delivered == messages && !worker->is_disordered && !worker->is_foreign);
    (void)pthread_cond_destroy(&worker->changed);
    (void)pthread_mutex_destroy(&worker->lock);
}

struct environment {
    struct signet_library *library;
    char path[32];
    struct store_limits limits;
};

static struct store *open_store(const struct environment *environment)
{
    struct store *store = NULL;

    CHECK_OK(store_sqlite_open(
        environment->path, environment->library, &environment->limits, STORE_THREADED, &store));
    return store;
}

static void two_workers_get_every_answer_and_each_message_once(void **state)
{
    struct environment *environment = *state;
    struct store *store = open_store(environment);
    struct worker workers[WORKERS];
    pthread_t threads[WORKERS];

    attach_all(store, workers);
    for (size_t i = 0; i < WORKERS; i++)
        log_in(&workers[i]);
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(pthread_create(&threads[i], NULL, run_worker, &workers[i]) == 0);
    store->ops->set_limits(store, &environment->limits); /* from a third thread */
    for (size_t i = 0; i < WORKERS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    store->ops->close(store);
    for (size_t i = 0; i < WORKERS; i++)
        check_and_free(&workers[i], 1 + GROUPS, MESSAGES);
}

static void closing_answers_what_was_submitted(void **state)
{
    struct environment *environment = *state;
    struct store *store = open_store(environment);
    struct worker workers[WORKERS];

    attach_all(store, workers);
    log_in(&workers[0]);
    log_in(&workers[1]);
    for (size_t i = 0; i < 20; i++) {
        struct store_group *group = new_group(&workers[0]);

        put(&workers[0], group, i + 1);
        submit(&workers[0], group);
    }
    store->ops->close(store);
    check_and_free(&workers[0], 21, 0);
    check_and_free(&workers[1], 1, 20);
}

static int set_up(void **state)
{
    struct environment *environment = calloc(1, sizeof(*environment));
    int fd;

    assert_non_null(environment);
    CHECK_OK(signet_library_new(NULL, &environment->library));
    (void)snprintf(environment->path, sizeof(environment->path), "/tmp/signet-store-XXXXXX");
    fd = mkstemp(environment->path);
    CHECK(fd >= 0 && close(fd) == 0);
    environment->limits = (struct store_limits){
        .mailbox_messages = MESSAGES, .mailbox_bytes = 1 << 20, .open_registration = true};
    *state = environment;
    return 0;
}

static int tear_down(void **state)
{
    struct environment *environment = *state;

    CHECK(unlink(environment->path) == 0);
    signet_library_free(environment->library);
    free(environment);
    return 0;
}

TEST_FILE(store_threads)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            two_workers_get_every_answer_and_each_message_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_answers_what_was_submitted, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("store_threads", tests, NULL, NULL);
}
