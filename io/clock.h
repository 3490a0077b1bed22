/* The two clocks. What decides by time takes it as an argument; only loops read these. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970, UTC; may jump. */
uint64_t clock_wall_ms(void);

/* Milliseconds since some fixed moment; never goes back. */
uint64_t clock_monotonic_ms(void);

/* What a waiting time is multiplied by: 1, or for tests on a slow machine SIGNET_TEST_PATIENCE from
 * the environment, if that is a whole number from 1 to 100. */
uint64_t clock_patience(void);

#endif
