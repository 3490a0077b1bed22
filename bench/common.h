/* What the programs of the benchmark share: they end, saying why, where anything fails. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <signet/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed memory. */
void *bench_alloc(size_t size);
void bench_check(bool holds, const char *what);
void bench_must(enum signet_err err, const char *what);

/* Monotonic. */
double bench_seconds(void);
/* What this thread has computed: unlike the clock's, other processes have no part in it. */
double bench_own_seconds(void);
/* Of another process: user and system time, and resident bytes. */
double bench_cpu_seconds(long pid);
double bench_resident(long pid);
/* Run on that core only, from now on. */
void bench_pin(unsigned core);

/* The q-th quantile of some numbers, which are sorted for it; 0 where there are none. */
double bench_quantile(double *values, size_t count, double q);

/* A whole number from an argument, at most `max`. */
uint64_t bench_number(const char *text, uint64_t max);

#endif
