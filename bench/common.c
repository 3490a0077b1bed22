/* Time, other processes, failure. */
#include "bench/common.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: cannot %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

void *bench_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        give_up("go on", strerror(ENOMEM));
    return memory;
}

void bench_check(bool holds, const char *what)
{
    if (!holds)
        give_up(what, errno != 0 ? strerror(errno) : "it failed");
}

void bench_must(enum signet_err err, const char *what)
{
    if (err != SIGNET_OK)
        give_up(what, signet_err_text(err));
}

static double read_clock(clockid_t which)
{
    struct timespec now;

    (void)clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_seconds(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double bench_own_seconds(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* The numbers of a file in /proc from the one with that index on. */
static void read_proc(long pid, const char *name, unsigned index, double *values, unsigned count)
{
    char path[64], text[1024], *at;
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "/proc/%ld/%s", pid, name);
    file = fopen(path, "re");
    bench_check(file != NULL, path);
    len = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[len] = '\0';
    at = strrchr(text, ')'); /* the command's name may hold anything */
    at = at != NULL ? at + 1 : text;
    for (unsigned i = 0; i < index + count; i++) {
        at += strspn(at, " ");
        if (i >= index)
            values[i - index] = strtod(at, NULL);
        at += strcspn(at, " ");
    }
}

double bench_cpu_seconds(long pid)
{
    double ticks[2];

    read_proc(pid, "stat", 11, ticks, 2); /* utime and stime, counted from behind the name */
    return (ticks[0] + ticks[1]) / (double)sysconf(_SC_CLK_TCK);
}

double bench_resident(long pid)
{
    double pages;

    read_proc(pid, "statm", 1, &pages, 1);
    return pages * (double)sysconf(_SC_PAGESIZE);
}

void bench_pin(unsigned core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    bench_check(sched_setaffinity(0, sizeof(set), &set) == 0, "stay on one core");
}

static int compare(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

double bench_quantile(double *values, size_t count, double q)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare);
    return values[(size_t)(q * (double)(count - 1))];
}

uint64_t bench_number(const char *text, uint64_t max)
{
    char *end = NULL;
    unsigned long long number = strtoull(text, &end, 10);

    if (end == text || *end != '\0' || number > max)
        give_up("use this number", text);
    return number;
}
