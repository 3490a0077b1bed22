/*
 * What the files of the SQLite store share. Each operation reads the disk and the devices in
 * memory, decides, and only then changes both; it sets its answer. A failure is kept by the
 * database (db.h) and ends the whole transaction, whatever the operation answered.
 */
#ifndef SERVER_STORE_SQLITE_SQLITE_INTERNAL_H
#define SERVER_STORE_SQLITE_SQLITE_INTERNAL_H

#include "server/store/sqlite/db.h"
#include "server/store/sqlite/devices.h"
#include "server/store/sqlite/store_sqlite.h"

/* A message that is due to leave its table. */
struct store_due {
    int64_t device_key;
    struct signet_id device; /* zeros: it is not there any more */
    uint64_t id, expires_ms;
    uint64_t size; /* of its envelope, once it is removed; 0: not known */
    bool is_expired;
};

/* What the operations work on; only one thread at a time does. */
struct store_work {
    struct db db;
    struct store_devices devices;
    struct store_limits limits;
    struct signet_library *library;
    uint64_t cold_age_ms;
    bool is_careful; /* a page is damaged: read around it, for one operation by itself */
    /* How far EXPIRE has come where it cannot remove what it meets; from the next start it tries
     * again. */
    uint64_t hot_from;
    struct store_due cold_after;
    bool leaves_rest; /* invitations, takes and free pages */
};

/* An account's row. */
struct store_account {
    int64_t key;
    struct signet_id address;
    char name[STORE_NAME_MAX + 1];
    uint64_t generation, version;
    struct signet_id list;
};

/* ---- damage.c ---- */

/* Where careful, and damage was met: note it, carry on reading, and write nothing. False: not. */
bool work_forgive(struct store_work *work, struct store_op *op);
/* Note which messages are passed over. */
void work_note_damage(struct store_op *op, uint64_t from, uint64_t to);
/*
 * A statement that gives rows by rising id (?1: from which on; where `device_key` is not 0, ?2) may
 * have met damage at an id, or above. If so, *from_io becomes the next id at which it can read,
 * or INT64_MAX where there is none. False: it has not, or there is none.
 */
bool work_skip(struct store_work *work, struct store_op *op, enum db_statement which,
    int64_t device_key, uint64_t *from_io);

/* ---- device_rows.c ---- */

/* The device in memory, brought there from the disk if need be; NULL where it is not registered,
 * or after a failure. */
struct store_device *work_device(struct store_work *work, const struct signet_id *id);
/* A device that is new on an account's card. */
void work_device_add(struct store_work *work, const struct signet_id *id, int64_t account);
/* A device that is on no card any more: its bundle goes; STORE_EXPIRE removes its messages. */
void work_device_remove(struct store_work *work, struct store_device *device);
/* Whose messages wait in the hot table: once, when the store is opened. */
void work_devices_load(struct store_work *work, uint64_t *last_id_out);

/* ---- mailbox.c ---- */

void work_put(struct store_work *work, struct store_op *op, uint64_t now_ms);
void work_ack(struct store_work *work, struct store_op *op);
void work_fetch(struct store_work *work, struct store_op *op, uint64_t expired_ms);
/* Delete a message from the hot table, or the cold one. */
void work_hot_delete(struct store_work *work, struct store_device *device, size_t index);
void work_cold_delete(struct store_work *work, struct store_device *device, uint64_t message_id);
/* Move a message from the hot table to the cold one. */
void work_cold_move(struct store_work *work, struct store_device *device, size_t index);

/* ---- expire.c ---- */

/* Of the group: what has expired, and what has waited for long. */
void work_expire(struct store_work *work, struct store_op *op, const struct store_group *group);

/* ---- directory.c ---- */

/* Find by address, or by name where that is not NULL; the card is appended where `card` is not. */
bool work_account(struct store_work *work, const struct signet_id *address, const char *name,
    struct store_account *account_out, struct signet_buf *card);
void work_register(struct store_work *work, struct store_op *op, uint64_t now_ms);
void work_find(struct store_work *work, struct store_op *op);
void work_card_put(struct store_work *work, struct store_op *op);

/* ---- prekeys.c ---- */

void work_bundle_put(struct store_work *work, struct store_op *op);
void work_bundle_take(struct store_work *work, struct store_op *op, uint64_t now_ms);
/* The bundle, appended, and how many one-time prekeys are left; false where there is none. */
bool work_bundle(struct store_work *work, const struct store_device *device,
    struct signet_buf *bundle, uint64_t *one_time_left_out);

/* ---- invites.c ---- */

/* Whether a registration is allowed with this token, under this name (empty: not known yet). */
enum store_answer work_invite_check(
    struct store_work *work, const struct store_op *op, uint64_t now_ms);
void work_invite_use(struct store_work *work, const struct store_op *op);
void work_invite_add(struct store_work *work, struct store_op *op);

/* ---- route.c ---- */

/* Before the commit: is the device registered, and what is told at login. */
void work_claim(struct store_work *work, struct store_op *op);
/* After the commit, in the order of the answers. */
void work_route_set(struct store_work *work, struct store_op *op);
void work_route_clear(struct store_work *work, const struct store_op *op);
bool work_route(
    const struct store_work *work, const struct signet_id *device, struct store_route *route_out);

#endif
