/* client: how command lines are read, and how commands speak. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands/commands.h"
#include "cli/run.h"

static enum exit_code run_sing(struct context *context)
{
    uint64_t times = 1;

    if (command_number(context, "times", 1, 9, &times) != SIGNET_OK)
        return EXIT_USAGE;
    for (uint64_t i = 0; i < times; i++) {
        if (report_result(context->report, signet_span_str(context->line->args[0])) != SIGNET_OK)
            return EXIT_REFUSED;
    }
    return EXIT_DONE;
}

static enum exit_code run_home(struct context *context)
{
    CHECK(context->home != NULL);
    return EXIT_DONE;
}

static const struct command sing = {
    .name = "sing",
    .usage = "sing WHAT [HOW] [--loud] [--times N]",
    .summary = "sing something",
    .help = "HOW is not looked at.",
    .options = {{"loud", NULL, "so that it is heard"}, {"times", "N", "how often"}},
    .min_args = 1,
    .max_args = 2,
    .needs = NEEDS_NOTHING,
    .run = run_sing,
};
static const struct command at_home = {
    .name = "at-home",
    .usage = "at-home",
    .summary = "needs an account",
    .needs = NEEDS_HOME,
    .run = run_home,
};
static const struct command *const table[] = {&sing, &at_home, NULL};

enum { ARGS_MAX = 12 };

struct reading {
    struct command_line line;
    enum signet_err err;
    char *argv[ARGS_MAX + 1];
};

/* Read "signet" and the words of a text, which single spaces part. */
static void read_words(struct reading *reading, char *words)
{
    int argc = 0;

    reading->argv[argc++] = words;
    for (char *at = words; *at != '\0'; at++) {
        if (*at == ' ') {
            CHECK(argc < ARGS_MAX);
            *at = '\0';
            reading->argv[argc++] = at + 1;
        }
    }
    reading->argv[argc] = NULL;
    reading->err = command_parse(table, argc, reading->argv, &reading->line);
}

static void check_problem(const char *text, const char *wanted)
{
    struct reading reading = {0};
    char words[128];

    (void)snprintf(words, sizeof(words), "%s", text);
    read_words(&reading, words);
    CHECK_ERR(reading.err, SIGNET_ERR_ARGUMENT);
    assert_string_equal(reading.line.problem, wanted);
}

/* Global options before or after the command. */
static void options_and_arguments_come_in_any_order(void **state)
{
    struct reading reading = {0};
    char words[] = "signet --json sing --times 3 --home=DIR song --loud - --quiet";

    (void)state;
    read_words(&reading, words);
    CHECK_OK(reading.err);
    CHECK(reading.line.command == &sing);
    CHECK(reading.line.json && reading.line.quiet && !reading.line.explain);
    assert_string_equal(reading.line.home, "DIR");
    CHECK(reading.line.arg_count == 2);
    assert_string_equal(reading.line.args[0], "song");
    assert_string_equal(reading.line.args[1], "-");
    assert_string_equal(command_value(&reading.line, "times"), "3");
    assert_string_equal(command_value(&reading.line, "loud"), "");
}

static void a_double_dash_ends_the_options(void **state)
{
    struct reading reading = {0};
    char words[] = "signet sing -- --loud --";

    (void)state;
    read_words(&reading, words);
    CHECK_OK(reading.err);
    CHECK(reading.line.arg_count == 2);
    assert_string_equal(reading.line.args[0], "--loud");
    assert_string_equal(reading.line.args[1], "--");
    CHECK(command_value(&reading.line, "loud") == NULL);
}

static void values_may_be_empty_or_look_like_options(void **state)
{
    struct reading reading = {0};
    char words[] = "signet sing song --times= --home --json";

    (void)state;
    read_words(&reading, words);
    CHECK_OK(reading.err);
    assert_string_equal(command_value(&reading.line, "times"), "");
    assert_string_equal(reading.line.home, "--json");
    CHECK(!reading.line.json);
}

static void wrong_usage_names_its_cause(void **state)
{
    (void)state;
    check_problem("signet", "no command given");
    check_problem("signet dance --loud x", "unknown command dance");
    check_problem("signet sing", "too few arguments: sing WHAT [HOW] [--loud] [--times N]");
    check_problem("signet sing a b c", "unexpected argument c");
    check_problem("signet sing a --foo", "unknown option --foo");
    check_problem("signet sing a -l", "unknown option -l");
    check_problem("signet --loud sing a", "unknown option --loud");
    check_problem("signet sing a --loud=5", "option --loud takes no value");
    check_problem("signet sing a --times", "option --times needs a value (N)");
    check_problem("signet sing a --home", "option --home needs a value (DIR)");
    check_problem("signet sing a --time 5", "unknown option --time");
}

/* The last one would be taken in silence, and the account be another than meant. */
static void a_home_is_given_once(void **state)
{
    struct reading reading = {0};
    char same[] = "signet --home a sing b --home=a";

    (void)state;
    check_problem("signet --home a sing x --home b", "option --home is given twice: a and b");
    read_words(&reading, same);
    CHECK_OK(reading.err);
}

static void help_is_found_where_people_look_for_it(void **state)
{
    struct reading reading = {0};
    char one[] = "signet -h", two[] = "signet help", three[] = "signet help sing",
         four[] = "signet sing -h", five[] = "signet sing help";

    (void)state;
    read_words(&reading, one);
    CHECK(reading.err == SIGNET_OK && reading.line.help && reading.line.command == NULL);
    read_words(&reading, two);
    CHECK(reading.err == SIGNET_OK && reading.line.help && reading.line.command == NULL);
    read_words(&reading, three);
    CHECK(reading.err == SIGNET_OK && reading.line.help && reading.line.command == &sing);
    read_words(&reading, four);
    CHECK(reading.err == SIGNET_OK && reading.line.help && reading.line.command == &sing);
    read_words(&reading, five);
    CHECK(reading.err == SIGNET_OK && !reading.line.help && reading.line.arg_count == 1);
    check_problem("signet help dance", "unknown command dance");
}

static void help_needs_no_arguments(void **state)
{
    struct reading reading = {0};
    char one[] = "signet sing --help", two[] = "signet --help", three[] = "signet --version";

    (void)state;
    read_words(&reading, one);
    CHECK_OK(reading.err);
    CHECK(reading.line.help && reading.line.command == &sing);
    read_words(&reading, two);
    CHECK_OK(reading.err);
    CHECK(reading.line.help && reading.line.command == NULL);
    read_words(&reading, three);
    CHECK_OK(reading.err);
    CHECK(reading.line.version);
}

static void help_is_printed_from_the_table(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    command_help(out, table, &sing);
    CHECK(fclose(out) == 0);
    CHECK(strstr(text, "usage: signet sing WHAT [HOW] [--loud] [--times N]\n") != NULL);
    CHECK(strstr(text, "HOW is not looked at.") != NULL);
    CHECK(strstr(text, "--times N ") != NULL && strstr(text, "how often\n") != NULL);
    CHECK(strstr(text, "--home DIR ") != NULL);
    free(text);
    out = open_memstream(&text, &len);
    command_help(out, table, NULL);
    CHECK(fclose(out) == 0);
    CHECK(strstr(text, "sing something\n") != NULL);
    free(text);
}

/* ---- whole runs, in a process of their own ---- */

struct outcome {
    int code;
    char out[2048];
    char err[2048];
};

static void read_back(FILE *file, char *text, size_t size)
{
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    CHECK(fclose(file) == 0);
}

/* `stdout_path` NULL: what is written there is read back. */
static void run_main(const char *text, const char *stdout_path, struct outcome *outcome)
{
    FILE *out = stdout_path == NULL ? tmpfile() : fopen(stdout_path, "w+");
    FILE *err = tmpfile();
    int status = 0;
    pid_t child;

    CHECK(out != NULL && err != NULL);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char *argv[ARGS_MAX + 1] = {NULL}, *words = strdup(text), *save = NULL;
        int argc = 0;

        for (char *word = strtok_r(words, " ", &save); word != NULL && argc < ARGS_MAX;
             word = strtok_r(NULL, " ", &save))
            argv[argc++] = word;
        (void)dup2(fileno(out), STDOUT_FILENO);
        (void)dup2(fileno(err), STDERR_FILENO);
        status = (int)command_main(table, argc, argv);
        free(words);
        _exit(status);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    outcome->code = WEXITSTATUS(status);
    read_back(out, outcome->out, sizeof(outcome->out));
    read_back(err, outcome->err, sizeof(outcome->err));
}

static void check_run(const char *text, int code, const char *out, const char *err)
{
    struct outcome outcome;

    run_main(text, NULL, &outcome);
    assert_string_equal(outcome.err, err);
    assert_string_equal(outcome.out, out);
    assert_int_equal(outcome.code, code);
}

/* Data on stdout, all else on stderr; exit codes. */
static void runs_end_with_their_exit_code(void **state)
{
    (void)state;
    check_run("signet sing song --times 2", 0, "song\nsong\n", "");
    check_run("signet --version", 0, "signet " SIGNET_VERSION "\n", "");
    check_run("signet sing song --foo", 2, "",
        "signet: sing: unknown option --foo; see signet sing --help\n");
    check_run("signet dance", 2, "", "signet: unknown command dance; see signet --help\n");
    check_run("signet sing song --times 10", 2, "",
        "signet: sing: option --times takes a number from 1 to 9, not 10; "
        "see signet sing --help\n");
    check_run("signet sing song --times 1x", 2, "",
        "signet: sing: option --times takes a number from 1 to 9, not 1x; "
        "see signet sing --help\n");
    check_run("signet sing song --times 99999999999999999999", 2, "",
        "signet: sing: option --times takes a number from 1 to 9, not 99999999999999999999; "
        "see signet sing --help\n");
}

static void errors_are_json_where_that_was_asked_for(void **state)
{
    (void)state;
    check_run("signet sing song --f\"oo --json", 2, "",
        "{\"error\":{\"code\":\"usage\",\"message\":\"sing: unknown option --f\\\"oo\","
        "\"hint\":\"see signet sing --help\"}}\n");
}

static void messages_cannot_drive_the_terminal(void **state)
{
    (void)state;
    check_run("signet \x1b[2J", 2, "", "signet: unknown command \\x1b[2J; see signet --help\n");
}

static void a_missing_account_is_told(void **state)
{
    (void)state;
    check_run("signet at-home --home /nonexistent/home", 1, "",
        "signet: there is no account in /nonexistent/home; "
        "make one with signet join LINK --name NAME\n");
}

static void output_that_is_lost_is_a_failure(void **state)
{
    struct outcome outcome;

    (void)state;
    run_main("signet --help", "/dev/full", &outcome);
    CHECK(outcome.code == 1);
    CHECK(strstr(outcome.err, "cannot write to standard output") != NULL);
    run_main("signet sing song", "/dev/full", &outcome);
    CHECK(outcome.code == EXIT_REFUSED); /* the command saw it */
}

/* A message is one line, also where a usage has two. */
static void too_few_arguments_are_told_in_a_line(void **state)
{
    struct command_line line;
    char name[] = "signet", cipher[] = "cipher";
    char *argv[] = {name, cipher, NULL};

    (void)state;
    CHECK_ERR(command_parse(commands, 2, argv, &line), SIGNET_ERR_ARGUMENT);
    CHECK(strchr(line.problem, '\n') == NULL);
    assert_string_equal(line.problem,
        "too few arguments: cipher NAME encrypt|decrypt|crack [--key KEY] [TEXT | -]");
}

/* The commands that there are: their tables make sense. */
static void every_command_is_well_described(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i] != NULL; i++) {
        const struct command *command = commands[i];
        size_t name_len = strlen(command->name);

        CHECK(strncmp(command->usage, command->name, name_len) == 0);
        CHECK(command->usage[name_len] == '\0' || command->usage[name_len] == ' ');
        CHECK(command->summary != NULL && command->run != NULL);
        CHECK(command->min_args <= command->max_args);
        for (const struct command_option *o = command->options; o->name != NULL; o++)
            CHECK(o->help != NULL && strstr(command->usage, o->name) != NULL);
    }
}

TEST_FILE(command)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_arguments_come_in_any_order),
        cmocka_unit_test(a_double_dash_ends_the_options),
        cmocka_unit_test(values_may_be_empty_or_look_like_options),
        cmocka_unit_test(wrong_usage_names_its_cause),
        cmocka_unit_test(a_home_is_given_once),
        cmocka_unit_test(help_is_found_where_people_look_for_it),
        cmocka_unit_test(help_needs_no_arguments),
        cmocka_unit_test(help_is_printed_from_the_table),
        cmocka_unit_test(runs_end_with_their_exit_code),
        cmocka_unit_test(errors_are_json_where_that_was_asked_for),
        cmocka_unit_test(messages_cannot_drive_the_terminal),
        cmocka_unit_test(a_missing_account_is_told),
        cmocka_unit_test(output_that_is_lost_is_a_failure),
        cmocka_unit_test(too_few_arguments_are_told_in_a_line),
        cmocka_unit_test(every_command_is_well_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
