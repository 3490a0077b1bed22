/* The directory of the SQLite store: names, accounts and their cards. */
#include "server/store/sqlite/sqlite_internal.h"

#include <stdlib.h>
#include <string.h>

bool work_account(struct store_work *work, const struct signet_id *address, const char *name,
    struct store_account *account_out, struct signet_buf *card)
{
    struct db *db = &work->db;
    sqlite3_stmt *query = db_query(db, name != NULL ? DB_ACCOUNT_BY_NAME : DB_ACCOUNT_BY_ADDRESS);
    signet_span found;

    if (name != NULL)
        db_bind_text(db, query, 1, name);
    else
        db_bind_id(db, query, 1, address);
    if (!db_row(db, query))
        return false;
    memset(account_out, 0, sizeof(*account_out));
    account_out->key = db_key(query, 0);
    account_out->address = db_id(query, 1);
    found = db_bytes(query, 2);
    memcpy(account_out->name, found.ptr, found.len < STORE_NAME_MAX ? found.len : STORE_NAME_MAX);
    account_out->generation = db_uint(query, 3);
    account_out->version = db_uint(query, 4);
    account_out->list = db_id(query, 5);
    if (card != NULL && signet_buf_append(card, db_bytes(query, 6)) != SIGNET_OK)
        db_fail(db, SQLITE_NOMEM);
    db_done(query);
    return true;
}

void work_find(struct store_work *work, struct store_op *op)
{
    const char *name = op->name[0] != '\0' ? op->name : NULL;
    struct store_account account;

    op->answer = STORE_GONE;
    if (!work_account(work, &op->address, name, &account, &op->card))
        return;
    op->answer = STORE_OK;
    op->address = account.address;
    memcpy(op->name, account.name, sizeof(op->name));
}

/* ---- devices on a card ---- */

static bool is_on_card(const struct store_op *op, const struct signet_id *device)
{
    for (size_t i = 0; i < op->device_count; i++)
        if (signet_id_equal(&op->devices[i], device))
            return true;
    return false;
}

/* A device belongs to the account that named it first: anyone can put anyone's public key on a
 * card. */
static bool has_foreign_device(struct store_work *work, const struct store_op *op, int64_t account)
{
    for (size_t i = 0; i < op->device_count; i++) {
        const struct store_device *device = work_device(work, &op->devices[i]);

        if (device != NULL && device->account != account)
            return true;
    }
    return false;
}

static void add_devices(struct store_work *work, const struct store_op *op, int64_t account)
{
    for (size_t i = 0; i < op->device_count; i++)
        if (work_device(work, &op->devices[i]) == NULL)
            work_device_add(work, &op->devices[i], account);
}

/* Whoever is logged in with the device is told after the commit. A login of the same transaction
 * has no route yet: it fails in work_route_set. */
static void note_removed(
    struct store_work *work, struct store_op *op, const struct store_device *device)
{
    if (!device->has_route)
        return;
    if (op->removed == NULL)
        op->removed = calloc(SIGNET_CARD_DEVICES_MAX, sizeof(*op->removed));
    if (op->removed == NULL)
        db_fail(&work->db, SQLITE_NOMEM);
    else
        op->removed[op->removed_count++] = device->route;
}

static void remove_devices(struct store_work *work, struct store_op *op, int64_t account)
{
    struct signet_id gone[SIGNET_CARD_DEVICES_MAX];
    sqlite3_stmt *query = db_query(&work->db, DB_DEVICES_OF);
    size_t count = 0;

    db_bind_key(&work->db, query, 1, account);
    while (count < SIGNET_CARD_DEVICES_MAX && db_row(&work->db, query)) {
        gone[count] = db_id(query, 0);
        count += !is_on_card(op, &gone[count]);
    }
    db_done(query);
    for (size_t i = 0; i < count; i++) {
        struct store_device *device = work_device(work, &gone[i]);

        if (device == NULL)
            continue;
        note_removed(work, op, device);
        work_device_remove(work, device);
    }
}

/* ---- register ---- */

static int64_t add_account(struct store_work *work, const struct store_op *op)
{
    sqlite3_stmt *query = db_query(&work->db, DB_ACCOUNT_ADD);

    db_bind_id(&work->db, query, 1, &op->address);
    db_bind_text(&work->db, query, 2, op->name);
    db_bind_uint(&work->db, query, 3, op->card_generation);
    db_bind_uint(&work->db, query, 4, op->card_version);
    db_bind_id(&work->db, query, 5, &op->list);
    db_bind_bytes(&work->db, query, 6, signet_buf_span(&op->card));
    (void)db_run(&work->db, query);
    return sqlite3_last_insert_rowid(work->db.handle);
}

void work_register(struct store_work *work, struct store_op *op, uint64_t now_ms)
{
    struct store_account account;
    bool is_taken = work_account(work, NULL, op->name, &account, NULL);
    int64_t key;

    op->answer = STORE_OK;
    if (is_taken && signet_id_equal(&account.address, &op->address))
        return; /* registered before; the answer was lost, and the invitation is used up */
    op->answer = work_invite_check(work, op, now_ms);
    if (op->answer != STORE_OK)
        return;
    if (is_taken || work_account(work, &op->address, NULL, &account, NULL) ||
        has_foreign_device(work, op, 0)) {
        op->answer = STORE_TAKEN;
        return;
    }
    work_invite_use(work, op);
    key = add_account(work, op);
    add_devices(work, op, key);
}

/* ---- a new card ---- */

/* Order by (generation, version): below, at, or above what is there. */
static int compare_cards(const struct store_op *op, const struct store_account *account)
{
    if (op->card_generation != account->generation)
        return op->card_generation < account->generation ? -1 : 1;
    if (op->card_version != account->version)
        return op->card_version < account->version ? -1 : 1;
    return 0;
}

static void replace_card(struct store_work *work, const struct store_op *op, int64_t account)
{
    sqlite3_stmt *query = db_query(&work->db, DB_ACCOUNT_CARD);

    db_bind_key(&work->db, query, 1, account);
    db_bind_uint(&work->db, query, 2, op->card_generation);
    db_bind_uint(&work->db, query, 3, op->card_version);
    db_bind_id(&work->db, query, 4, &op->list);
    db_bind_bytes(&work->db, query, 5, signet_buf_span(&op->card));
    (void)db_run(&work->db, query);
}

void work_card_put(struct store_work *work, struct store_op *op)
{
    struct store_account account;
    int order;

    if (!work_account(work, &op->address, NULL, &account, NULL)) {
        op->answer = STORE_GONE;
        return;
    }
    order = compare_cards(op, &account);
    if (order < 0 || (order == 0 && !signet_id_equal(&op->list, &account.list))) {
        op->answer = STORE_STALE;
        return;
    }
    op->answer = STORE_OK;
    if (order == 0)
        return;
    if (has_foreign_device(work, op, account.key)) {
        op->answer = STORE_TAKEN;
        return;
    }
    replace_card(work, op, account.key);
    remove_devices(work, op, account.key);
    add_devices(work, op, account.key);
}
