/* The terminal that text is shown on: how wide it is, and how wide characters are on it. */
#ifndef TERM_SCREEN_H
#define TERM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns of the terminal on standard output, 80 where it does not say; 0: it is no terminal. */
size_t screen_columns(void);

/*
 * How many columns a character takes that is no control character: as many as any terminal is
 * known to give it, so that what is counted with this is never wider than counted.
 */
size_t screen_width(uint32_t code_point);

#endif
