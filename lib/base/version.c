/* The version, as meson.build has it. */
#include <signet/version.h>

const char *signet_version(void)
{
    return SIGNET_VERSION;
}
