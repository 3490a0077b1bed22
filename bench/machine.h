/* What the machine gives without a relay: each prints one line of JSON. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stddef.h>

/* Frames of 300 bytes, `window` at a time on each connection, sent back by an echo through
 * io_connection on core 0; the clients are on core 1. */
void machine_echo(size_t connections, size_t window, double seconds);
/* Append `group` records of 300 bytes to a file in that folder, then fdatasync. */
void machine_append(const char *folder, size_t group, double seconds);
/* The store's table by itself: insert and delete `group` rows of 256 bytes in one transaction. */
void machine_sqlite(const char *folder, size_t group, double seconds);

#endif
