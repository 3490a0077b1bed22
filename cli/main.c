/* signet: the client's program. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/run.h"

/*
 * A descriptor that is closed at the start would be given to the next file opened, and a message
 * be written into the store. The wrong direction makes its use fail.
 */
static bool fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct rlimit none = {0, 0};

    if (!fill_standard_descriptors())
        return EXIT_FAILED;
    (void)setrlimit(RLIMIT_CORE, &none); /* no secrets in core files */
    (void)signal(SIGPIPE, SIG_IGN);      /* a failing write is told instead */
    return (int)command_main(commands, argc, argv);
}
