/* Which version of the library this is. */
#ifndef SIGNET_VERSION_H
#define SIGNET_VERSION_H

#include <signet/attributes.h>

SIGNET_C_BEGIN

/*
 * The version of the library that the program runs with, as "MAJOR.MINOR.PATCH" in decimal digits;
 * never NULL, and nobody's to free. It may be another than the one whose headers the program was
 * compiled with, where that uses the shared library.
 */
SIGNET_API const char *signet_version(void);

SIGNET_C_END

#endif
