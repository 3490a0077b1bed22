/* The SQLite store as a whole: the queue of groups, and the thread that works it off. */
#include "server/store/sqlite/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/sqlite/batch.h"
#include "server/store/sqlite/schema.h"

struct store_sqlite {
    struct store base;
    enum store_mode mode;
    pthread_t thread; /* STORE_THREADED */
    struct store_work work;
    uint64_t last_id;
    bool is_down; /* since a transaction failed, until one that has written is durable */

    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t submitted;
    struct store_group *first, *last; /* what waits */
    bool is_closing;
    struct store_limits limits; /* for the next transaction */
    struct store_sink sinks[STORE_WORKERS_MAX];
    char error[DB_ERROR_SIZE];
};

static _Thread_local char open_error[DB_ERROR_SIZE];

static struct store_sqlite *self_of(struct store *store)
{
    return (struct store_sqlite *)store; /* its first member */
}

/* ---- the queue ---- */

static void submit(struct store *store, struct store_group *group)
{
    struct store_sqlite *self = self_of(store);

    assert(group->worker < STORE_WORKERS_MAX);
    group->next = NULL;
    pthread_mutex_lock(&self->lock);
    if (self->last != NULL) {
        self->last->next = group;
    } else {
        self->first = group;
        pthread_cond_signal(&self->submitted); /* once for all that come until they are taken */
    }
    self->last = group;
    pthread_mutex_unlock(&self->lock);
}

/* What one transaction takes along from under the lock. */
struct batch {
    struct store_group *groups;
    struct store_sink sinks[STORE_WORKERS_MAX];
};

/* With the lock held. */
static void take_batch(struct store_sqlite *self, struct batch *batch)
{
    batch->groups = self->first;
    self->first = self->last = NULL;
    self->work.limits = self->limits;
    memcpy(batch->sinks, self->sinks, sizeof(batch->sinks));
}

static void run_batch(struct store_sqlite *self, struct batch *batch)
{
    uint64_t changes = db_changes(&self->work.db);
    enum store_result result = batch_run(&self->work, batch->groups);
    bool is_down = result != STORE_DONE ||
                   (self->is_down && db_changes(&self->work.db) == changes); /* it only read */

    for (struct store_group *group = batch->groups; group != NULL; group = group->next)
        group->is_news = group == batch->groups && is_down != self->is_down;
    self->is_down = is_down;
    if (result != STORE_DONE) {
        pthread_mutex_lock(&self->lock);
        memcpy(self->error, self->work.db.error, sizeof(self->error));
        pthread_mutex_unlock(&self->lock);
    }
    batch_answer(&self->work, batch->groups, result, batch->sinks);
}

static void *run_thread(void *argument)
{
    struct store_sqlite *self = argument;
    struct batch batch;

    for (;;) {
        pthread_mutex_lock(&self->lock);
        while (self->first == NULL && !self->is_closing)
            pthread_cond_wait(&self->submitted, &self->lock);
        take_batch(self, &batch);
        pthread_mutex_unlock(&self->lock);
        if (batch.groups == NULL)
            return NULL; /* closing, and all is answered */
        run_batch(self, &batch);
    }
}

size_t store_sqlite_step(struct store *store)
{
    struct store_sqlite *self = self_of(store);
    struct batch batch;
    size_t count = 0;

    assert(self->mode != STORE_THREADED);
    pthread_mutex_lock(&self->lock);
    take_batch(self, &batch);
    pthread_mutex_unlock(&self->lock);
    for (const struct store_group *group = batch.groups; group != NULL; group = group->next)
        count++;
    if (count > 0)
        run_batch(self, &batch);
    return count;
}

/* ---- the rest of store_ops ---- */

static void destroy(struct store_sqlite *self)
{
    devices_free(&self->work.devices);
    db_close(&self->work.db);
    (void)pthread_cond_destroy(&self->submitted);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

static void close_store(struct store *store)
{
    struct store_sqlite *self = self_of(store);

    if (store == NULL)
        return;
    if (self->mode == STORE_THREADED) {
        pthread_mutex_lock(&self->lock);
        self->is_closing = true;
        pthread_cond_signal(&self->submitted);
        pthread_mutex_unlock(&self->lock);
        (void)pthread_join(self->thread, NULL);
    } else {
        while (store_sqlite_step(store) > 0)
            ;
    }
    destroy(self);
}

static void attach(struct store *store, uint32_t worker, const struct store_sink *sink)
{
    struct store_sqlite *self = self_of(store);

    assert(worker < STORE_WORKERS_MAX);
    pthread_mutex_lock(&self->lock);
    self->sinks[worker] = *sink;
    pthread_mutex_unlock(&self->lock);
}

static void set_limits(struct store *store, const struct store_limits *limits)
{
    struct store_sqlite *self = self_of(store);

    pthread_mutex_lock(&self->lock);
    self->limits = *limits;
    pthread_mutex_unlock(&self->lock);
}

void store_sqlite_error(struct store *store, char *text, size_t size)
{
    struct store_sqlite *self = self_of(store);

    pthread_mutex_lock(&self->lock);
    (void)snprintf(text, size, "%s", self->error);
    pthread_mutex_unlock(&self->lock);
}

uint64_t store_sqlite_last_id(const struct store *store)
{
    return ((const struct store_sqlite *)store)->last_id;
}

void store_sqlite_set_cold_age(struct store *store, uint64_t age_ms)
{
    self_of(store)->work.cold_age_ms = age_ms;
}

/* ---- opening ---- */

const char *store_sqlite_open_error(void)
{
    return open_error;
}

static enum signet_err refuse(enum signet_err err, const char *why)
{
    (void)snprintf(open_error, sizeof(open_error), "%s", why);
    return err;
}

static enum signet_err open_work(struct store_sqlite *self, const char *path)
{
    struct store_work *work = &self->work;
    enum signet_err err = db_open(&work->db, path);

    if (err != SIGNET_OK)
        return refuse(err, work->db.error);
    if (self->mode != STORE_ADMIN)
        work_devices_load(work, &self->last_id);
    if (work->db.failed == SQLITE_OK)
        return SIGNET_OK;
    return refuse(schema_err(work->db.failed), work->db.error);
}

enum signet_err store_sqlite_open(const char *path, struct signet_library *library,
    const struct store_limits *limits, enum store_mode mode, struct store **out)
{
    static const struct store_ops ops = {
        .close = close_store, .attach = attach, .submit = submit, .set_limits = set_limits};
    struct store_sqlite *self = calloc(1, sizeof(*self));
    enum signet_err err;
    int failed;

    if (self == NULL)
        return refuse(SIGNET_ERR_NOMEM, strerror(ENOMEM));
    self->base.ops = &ops;
    self->mode = mode;
    self->limits = *limits;
    self->work.library = library;
    self->work.cold_age_ms = STORE_COLD_AGE_MS;
    /* Neither can fail with these attributes. */
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->submitted, NULL);
    err = open_work(self, path);
    if (err == SIGNET_OK && mode == STORE_THREADED) {
        failed = pthread_create(&self->thread, NULL, run_thread, self);
        if (failed != 0)
            err = refuse(SIGNET_ERR_NOMEM, strerror(failed));
    }
    if (err != SIGNET_OK) {
        destroy(self);
        return err;
    }
    *out = &self->base;
    return SIGNET_OK;
}
