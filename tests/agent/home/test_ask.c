/* client: asking for a passphrase at a terminal. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent/home/ask.h"

/* A process at a terminal of its own; we hold both ends. */
struct terminal {
    int master, slave;
    pid_t child;
    char seen[4096]; /* all that was on the screen */
    size_t seen_len;
};

/* What the process does: ask, and say by its exit code whether the answer was the wanted one. */
static void ask_and_exit(const char *wanted, enum signet_err wanted_err)
{
    struct signet_buf answer = {0};
    enum signet_err err = ask_terminal.passphrase(NULL, "Passphrase: ", &answer);
    bool is_right =
        err == wanted_err && signet_span_equal(signet_buf_span(&answer), signet_span_str(wanted));

    signet_buf_free(&answer);
    _exit(is_right ? 0 : 1);
}

static void terminal_start(
    struct terminal *terminal, const char *wanted, enum signet_err wanted_err)
{
    CHECK(openpty(&terminal->master, &terminal->slave, NULL, NULL, NULL) == 0);
    terminal->seen_len = 0;
    terminal->child = fork();
    CHECK(terminal->child >= 0);
    if (terminal->child == 0) {
        (void)alarm(60); /* a mistake shall not hang the tests */
        (void)setsid();
        (void)ioctl(terminal->slave, TIOCSCTTY, 0);
        (void)close(terminal->master);
        ask_and_exit(wanted, wanted_err);
    }
}

static bool has_echo(const struct terminal *terminal)
{
    struct termios settings;

    CHECK(tcgetattr(terminal->slave, &settings) == 0);
    return (settings.c_lflag & ECHO) != 0;
}

/* Read the screen until it ends with the text. */
static void wait_for(struct terminal *terminal, const char *text)
{
    size_t len = strlen(text);

    while (terminal->seen_len < len ||
           memcmp(terminal->seen + terminal->seen_len - len, text, len) != 0) {
        ssize_t got = read(terminal->master, terminal->seen + terminal->seen_len,
            sizeof(terminal->seen) - terminal->seen_len);

        CHECK(got > 0);
        terminal->seen_len += (size_t)got;
    }
}

static void type(const struct terminal *terminal, const char *text)
{
    CHECK(write(terminal->master, text, strlen(text)) == (ssize_t)strlen(text));
}

static int terminal_wait(struct terminal *terminal)
{
    int status = 0;

    CHECK(waitpid(terminal->child, &status, WUNTRACED) == terminal->child);
    return status;
}

static void terminal_end(struct terminal *terminal)
{
    CHECK(has_echo(terminal));
    CHECK(close(terminal->slave) == 0);
    CHECK(close(terminal->master) == 0);
}

static void what_is_typed_is_not_shown(void **state)
{
    struct terminal terminal;

    (void)state;
    terminal_start(&terminal, "correct horse", SIGNET_OK);
    wait_for(&terminal, "Passphrase: ");
    CHECK(!has_echo(&terminal));
    type(&terminal, "correct horse\n");
    wait_for(&terminal, "\n");
    CHECK(terminal_wait(&terminal) == 0);
    CHECK(memmem(terminal.seen, terminal.seen_len, "horse", 5) == NULL);
    terminal_end(&terminal);
}

static void the_end_of_input_is_no_passphrase(void **state)
{
    struct terminal terminal;

    (void)state;
    terminal_start(&terminal, "", SIGNET_ERR_IO);
    wait_for(&terminal, "Passphrase: ");
    type(&terminal, "\x04");
    CHECK(terminal_wait(&terminal) == 0);
    terminal_end(&terminal);
}

static void a_passphrase_too_long_is_refused_whole(void **state)
{
    struct terminal terminal;
    char line[ASK_PASSPHRASE_MAX + 2];

    (void)state;
    memset(line, 'x', ASK_PASSPHRASE_MAX + 1);
    line[ASK_PASSPHRASE_MAX + 1] = '\0';
    terminal_start(&terminal, "", SIGNET_ERR_LIMIT);
    wait_for(&terminal, "Passphrase: ");
    type(&terminal, line);
    type(&terminal, "\n");
    CHECK(terminal_wait(&terminal) == 0);
    terminal_end(&terminal);
}

/* The terminal of somebody who gives up is not left without echo. */
static void an_interrupt_ends_the_process_with_the_echo_back(void **state)
{
    struct terminal terminal;
    int status;

    (void)state;
    terminal_start(&terminal, "", SIGNET_OK);
    wait_for(&terminal, "Passphrase: ");
    type(&terminal, "half\x03");
    status = terminal_wait(&terminal);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    terminal_end(&terminal);
}

/* Here nobody could continue it, so the system lets it run on at once. */
static void after_a_stop_it_asks_again(void **state)
{
    struct terminal terminal;

    (void)state;
    terminal_start(&terminal, "whole", SIGNET_OK);
    wait_for(&terminal, "Passphrase: ");
    type(&terminal, "half\x1a");
    wait_for(&terminal, "Passphrase: Passphrase: ");
    CHECK(!has_echo(&terminal));
    type(&terminal, "whole\n");
    CHECK(terminal_wait(&terminal) == 0);
    terminal_end(&terminal);
}

static void an_ignored_interrupt_stays_ignored(void **state)
{
    struct terminal terminal;

    (void)state;
    CHECK(signal(SIGINT, SIG_IGN) != SIG_ERR);
    terminal_start(&terminal, "later", SIGNET_OK);
    CHECK(signal(SIGINT, SIG_DFL) != SIG_ERR);
    wait_for(&terminal, "Passphrase: ");
    type(&terminal, "\x03");
    type(&terminal, "later\n");
    CHECK(terminal_wait(&terminal) == 0);
    terminal_end(&terminal);
}

static void without_a_terminal_nothing_is_asked(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    CHECK(child >= 0);
    if (child == 0) {
        (void)setsid(); /* no controlling terminal */
        ask_and_exit("", SIGNET_ERR_STATE);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST_FILE(ask)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_typed_is_not_shown),
        cmocka_unit_test(the_end_of_input_is_no_passphrase),
        cmocka_unit_test(a_passphrase_too_long_is_refused_whole),
        cmocka_unit_test(an_interrupt_ends_the_process_with_the_echo_back),
        cmocka_unit_test(after_a_stop_it_asks_again),
        cmocka_unit_test(an_ignored_interrupt_stays_ignored),
        cmocka_unit_test(without_a_terminal_nothing_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
