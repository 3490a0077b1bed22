/* The two clocks. */
#include "io/clock.h"

#include <stdlib.h>
#include <time.h>

enum { PATIENCE_MAX = 100 };

static uint64_t read_ms(clockid_t clock)
{
    struct timespec now;

    /* Fails only for a clock that does not exist, or before 1970. */
    if (clock_gettime(clock, &now) != 0 || now.tv_sec < 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

uint64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_patience(void)
{
    const char *text = getenv("SIGNET_TEST_PATIENCE");
    uint64_t factor = 0;

    if (text == NULL)
        return 1;
    while (*text >= '0' && *text <= '9' && factor <= PATIENCE_MAX)
        factor = factor * 10 + (uint64_t)(*text++ - '0');
    return *text == '\0' && factor >= 1 && factor <= PATIENCE_MAX ? factor : 1;
}
