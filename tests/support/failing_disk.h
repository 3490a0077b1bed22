/* A disk under SQLite that fails on demand: the system's own, until it is told otherwise. */
#ifndef TESTS_FAILING_DISK_H
#define TESTS_FAILING_DISK_H

/* Put it under every database that is opened from now on in this process. */
void failing_disk_install(void);
/* From now on writes fail with that SQLite code; SQLITE_OK: they succeed. */
void failing_disk_write(int code);
/* The same for one write; what comes after it succeeds. */
void failing_disk_write_once(int code);
/* From now on flushes to the disk fail. */
void failing_disk_sync(int code);
/* How many flushes were asked for. */
unsigned failing_disk_syncs(void);

#endif
