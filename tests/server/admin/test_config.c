/* The relay's configuration: server/admin/config.h. */
#include "tests/support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/log.h"
#include "server/admin/config.h"

static char path[] = "/tmp/signet-config-XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

/* Read this text as a file. */
static enum signet_err read_text(
    signet_span text, struct config *config, char problem[CONFIG_PROBLEM_SIZE])
{
    FILE *file = fopen(path, "w");

    CHECK(file != NULL);
    CHECK(fwrite(text.ptr, 1, text.len, file) == text.len);
    CHECK(fclose(file) == 0);
    return config_read(path, config, problem);
}

static void check_refused(const char *text, const char *wanted)
{
    char problem[CONFIG_PROBLEM_SIZE];
    struct config config = {.threads = 77};

    CHECK_ERR(read_text(signet_span_str(text), &config, problem), SIGNET_ERR_FORMAT);
    if (strstr(problem, wanted) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", wanted, problem);
    CHECK(config.threads == 77); /* unchanged */
}

/* What init writes is what the defaults are. */
static void a_new_file_reads_as_the_defaults(void **state)
{
    char problem[CONFIG_PROBLEM_SIZE];
    struct signet_buf text = {0};
    struct config config, wanted;

    (void)state;
    config_defaults(&wanted);
    strcpy(wanted.name, "relay.example");
    strcpy(wanted.listen, "[::1]:9000");
    CHECK_OK(config_write("relay.example", "[::1]:9000", &text));
    CHECK_OK(read_text(signet_buf_span(&text), &config, problem));
    assert_string_equal(config.name, wanted.name);
    assert_string_equal(config.listen, wanted.listen);
    CHECK(config.mailbox_messages == 10000 && config.mailbox_bytes == 67108864);
    CHECK(config.connections_per_account == 16);
    CHECK(config.message_days == 30 && config.registration == REGISTRATION_INVITATION);
    CHECK(config.log == LOG_TEXT && config.threads == 0);
    CHECK(config.certificate[0] == '\0' && config.key[0] == '\0');
    CHECK(config.puts_per_second == wanted.puts_per_second);
    signet_buf_free(&text);
}

static void values_are_taken(void **state)
{
    char problem[CONFIG_PROBLEM_SIZE];
    struct core_config core = {.worker = 3};
    struct store_limits limits;
    struct config config;

    (void)state;
    CHECK_OK(read_text(signet_span_str("registration = closed\nlog = json\nthreads=8\n"
                                       "message_days = 2\nputs_per_second = 7\n"
                                       "connections_per_account = 2\n"
                                       "certificate = /a/b\nkey = /c\n"),
        &config, problem));
    CHECK(config.log == LOG_JSON && config.threads == 8);
    assert_string_equal(config.certificate, "/a/b");
    config_core(&config, &core);
    CHECK(core.worker == 3 && core.message_ms == UINT64_C(2) * 86400000);
    CHECK(core.rates.put.per_second == 7 && core.rates.put.burst == 14);
    config_store(&config, &limits);
    CHECK(limits.connections_per_account == 2);
    CHECK(limits.closed_registration && !limits.open_registration && limits.take_burst == 32);
}

/* Unknown keys are fatal; the line is named. */
static void what_is_not_possible_is_refused_with_its_line(void **state)
{
    (void)state;
    check_refused("# comment\n\nthread = 3\n", "line 3: unknown key \"thread\"");
    check_refused("threads = 3\nthreads = 3\n", "line 2: threads is given twice");
    check_refused("threads = 65\n", "line 1: threads cannot be \"65\"");
    check_refused("threads = -1\n", "threads cannot be \"-1\"");
    check_refused("threads = 1x\n", "threads cannot be \"1x\"");
    check_refused("threads =\n", "threads cannot be \"\"");
    check_refused("threads = 99999999999999999999999\n", "threads cannot be");
    check_refused("registration = maybe\n", "registration cannot be \"maybe\"");
    check_refused("[limits]\nthreads = 3\n", "line 2: there are no sections");
    check_refused("threads = 1\nnonsense\n", "line 2: not KEY = VALUE");
    check_refused("listen = localhost\n", "listen is not ADDRESS:PORT");
    check_refused("certificate = /a\n", "certificate and key go together");
    check_refused("connections_per_account = 17\n", "connections_per_account cannot be");
    check_refused("mailbox_messages = 0\n", "mailbox_messages cannot be \"0\"");
}

/* inih would read the rest of a long line as another one. */
static void a_long_line_is_refused(void **state)
{
    char text[1024];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "# ", 2);
    strcpy(text + 900, "\nthreads = 2\n");
    check_refused(text, "line 1: the line is too long");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    char problem[CONFIG_PROBLEM_SIZE];
    struct config config;

    (void)state;
    CHECK_ERR(config_read("/nonexistent/x", &config, problem), SIGNET_ERR_IO);
    assert_string_equal(problem, "cannot read /nonexistent/x: No such file or directory");
}

static void the_default_name_is_the_host_that_is_listened_on(void **state)
{
    char name[256];

    (void)state;
    CHECK_OK(config_default_name("192.0.2.1:1", name));
    assert_string_equal(name, "192.0.2.1");
    CHECK_OK(config_default_name("0.0.0.0:1", name));
    assert_string_equal(name, "localhost");
    CHECK_OK(config_default_name("[::]:1", name));
    assert_string_equal(name, "localhost");
    CHECK_OK(config_default_name("[2001:db8::1]:1", name));
    assert_string_equal(name, "2001:db8::1");
    CHECK_ERR(config_default_name("192.0.2.1", name), SIGNET_ERR_FORMAT);
}

TEST_FILE(config)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_reads_as_the_defaults),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(what_is_not_possible_is_refused_with_its_line),
        cmocka_unit_test(a_long_line_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(the_default_name_is_the_host_that_is_listened_on),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
