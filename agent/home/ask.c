/* Asking the person for a passphrase at the controlling terminal. */
#include "agent/home/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

/* How signals were handled before. */
struct signals {
    struct sigaction actions[WATCHED_COUNT];
    sigset_t mask;
};

/* Catch the watched signals, which arrive only while we wait for input: none is missed between
 * looking for one and waiting. */
static void signals_watch(struct signals *before)
{
    struct sigaction action = {.sa_handler = catch};
    sigset_t held;

    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        (void)sigaddset(&held, watched[i]);
    (void)sigprocmask(SIG_BLOCK, &held, &before->mask);
    for (size_t i = 0; i < WATCHED_COUNT; i++) {
        (void)sigaction(watched[i], &action, &before->actions[i]);
        if (before->actions[i].sa_handler == SIG_IGN)
            (void)sigaction(watched[i], &before->actions[i], NULL);
    }
}

static void signals_restore(const struct signals *before)
{
    for (size_t i = 0; i < WATCHED_COUNT; i++)
        (void)sigaction(watched[i], &before->actions[i], NULL);
    (void)sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

static bool show(int fd, const char *text)
{
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Wait for a byte with signals let in; false where one of the watched came, or input failed. */
static bool wait_for_byte(int fd, const sigset_t *mask, uint8_t *byte)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};

    while (ppoll(&input, 1, NULL, mask) < 0) {
        if (errno != EINTR || caught != 0)
            return false;
    }
    return caught == 0 && read(fd, byte, 1) == 1;
}

/* Append one line, read byte by byte so that nothing behind it is taken. */
static enum signet_err read_line(int fd, const sigset_t *mask, struct signet_buf *out)
{
    size_t start = out->len;
    enum signet_err err = SIGNET_OK;
    uint8_t byte = 0;

    while (wait_for_byte(fd, mask, &byte)) {
        if (byte == '\n')
            return err;
        if (out->len - start == ASK_PASSPHRASE_MAX)
            err = SIGNET_ERR_LIMIT; /* read on to the end of the line */
        else if (err == SIGNET_OK)
            err = signet_buf_append(out, signet_span_of(&byte, 1));
    }
    return SIGNET_ERR_IO;
}

/* One attempt; `caught` says whether a signal ended it. */
static enum signet_err ask_once(int fd, const char *prompt, struct signet_buf *out)
{
    struct signals before;
    struct termios shown, hidden;
    enum signet_err err = SIGNET_ERR_IO;

    if (tcgetattr(fd, &shown) != 0)
        return SIGNET_ERR_STATE;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    hidden.c_lflag |= ECHONL | ICANON | ISIG;
    signals_watch(&before);
    if (tcsetattr(fd, TCSAFLUSH, &hidden) == 0 && show(fd, prompt))
        err = read_line(fd, &before.mask, out);
    while (tcsetattr(fd, TCSAFLUSH, &shown) != 0 && errno == EINTR)
        continue;
    signals_restore(&before);
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
