/* Asking the person for a passphrase at the controlling terminal. */
#include "client/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Signals that would leave the terminal without echo. */
static const int watched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

enum { WATCHED_COUNT = sizeof(watched) / sizeof(watched[0]) };

static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

static void signals_watch(struct sigaction before[WATCHED_COUNT])
{
    struct sigaction action = {.sa_handler = catch}; /* no SA_RESTART: read is to be interrupted */

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < WATCHED_COUNT; i++) {
        (void)sigaction(watched[i], &action, &before[i]);
        if (before[i].sa_handler == SIG_IGN)
            (void)sigaction(watched[i], &before[i], NULL);
    }
}

static void signals_restore(const struct sigaction before[WATCHED_COUNT])
{
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        (void)sigaction(watched[i], &before[i], NULL);
}

static bool show(int fd, const char *text)
{
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Append one line, read byte by byte so that nothing behind it is taken. */
static enum signet_err read_line(int fd, struct signet_buf *out)
{
    size_t start = out->len;
    enum signet_err err = SIGNET_OK;

    for (;;) {
        uint8_t byte = 0;
        ssize_t got = read(fd, &byte, 1);

        if (got < 0 && errno == EINTR && caught == 0)
            continue;
        if (got <= 0)
            return SIGNET_ERR_IO;
        if (byte == '\n')
            break;
        if (out->len - start == ASK_PASSPHRASE_MAX)
            err = SIGNET_ERR_LIMIT; /* read on to the end of the line */
        else if (err == SIGNET_OK)
            err = signet_buf_append(out, signet_span_of(&byte, 1));
    }
    return err;
}

/* One attempt; `caught` says whether a signal ended it. */
static enum signet_err ask_once(int fd, const char *prompt, struct signet_buf *out)
{
    struct sigaction before[WATCHED_COUNT];
    struct termios shown, hidden;
    enum signet_err err = SIGNET_ERR_IO;

    if (tcgetattr(fd, &shown) != 0)
        return SIGNET_ERR_STATE;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL | ICANON | ISIG;
    signals_watch(before);
    if (tcsetattr(fd, TCSAFLUSH, &hidden) == 0 && show(fd, prompt))
        err = read_line(fd, out);
    while (tcsetattr(fd, TCSAFLUSH, &shown) != 0 && errno == EINTR)
        continue;
    signals_restore(before);
    return err;
}

static enum signet_err passphrase(void *ctx, const char *prompt, struct signet_buf *out)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    size_t start = out->len;
    enum signet_err err;

    (void)ctx;
    if (fd < 0)
        return SIGNET_ERR_STATE;
    do {
        caught = 0;
        signet_buf_truncate(out, start);
        err = ask_once(fd, prompt, out);
        if (caught != 0)
            (void)raise(caught); /* with the handler as it was before; stopped, we ask again */
    } while (caught == SIGTSTP);
    (void)close(fd);
    if (err != SIGNET_OK)
        signet_buf_truncate(out, start);
    return err;
}

static bool is_present(void *ctx)
{
    (void)ctx;
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

const struct asker ask_terminal = {.is_present = is_present, .passphrase = passphrase};
