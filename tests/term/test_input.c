/* Standard input by lines: term/input.h. */
#include "tests/support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "term/input.h"

enum { LINE_MAX_HERE = 8 };

/* What was handed over: lines with '|' behind each, "." at the end, "!" for an error. */
struct record {
    struct input input;
    char text[256];
    bool pauses; /* after each line */
    bool stops;  /* after the first */
    bool cuts;   /* of a line of many x, all but one */
};

static void on_line(void *ctx, signet_span line)
{
    struct record *record = ctx;

    (void)snprintf(record->text + strlen(record->text), sizeof(record->text) - strlen(record->text),
        "%.*s|", record->cuts && line.len > LINE_MAX_HERE ? 1 : (int)line.len,
        (const char *)line.ptr);
    if (record->pauses)
        input_pause(&record->input, true);
    if (record->stops)
        input_stop(&record->input);
}

static void on_end(void *ctx, enum signet_err err)
{
    struct record *record = ctx;

    (void)strcat(record->text, err == SIGNET_OK ? "." : "!");
}

static const struct input_handler handler = {.on_line = on_line, .on_end = on_end};

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    uv_close(handle, NULL);
}

/* Read all lines of a descriptor, and close it. */
static void read_lines(struct record *record, int fd)
{
    uv_loop_t loop;

    record->input =
        (struct input){.handler = &handler, .ctx = record, .line_max = LINE_MAX_HERE, .fd = fd};
    assert_int_equal(uv_loop_init(&loop), 0);
    CHECK_OK(input_start(&record->input, &loop));
    while (uv_run(&loop, UV_RUN_NOWAIT) != 0 || record->input.is_paused) {
        (void)strcat(record->text, record->input.is_paused ? "_" : "");
        input_pause(&record->input, false);
    }
    uv_walk(&loop, close_handle, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    input_free(&record->input);
    (void)close(fd);
}

static int pipe_with(const char *text)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    (void)close(ends[1]);
    return ends[0];
}

static int file_with(const char *text)
{
    FILE *file = tmpfile();
    int fd;

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fflush(file), 0);
    fd = dup(fileno(file));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    (void)fclose(file);
    return fd;
}

/* send --lines: each line of standard input is a message, the last one also without its end. */
static void lines_come_from_pipes_and_files_alike(void **state)
{
    int (*const makers[])(const char *text) = {pipe_with, file_with};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct record record = {0};

        read_lines(&record, makers[i]("one\n\ntwo\nlast"));
        assert_string_equal(record.text, "one||two|last|.");
        memset(&record, 0, sizeof(record));
        read_lines(&record, makers[i](""));
        assert_string_equal(record.text, ".");
    }
}

/* A paused input hands over nothing, not even its end; a stopped one never again. */
static void pausing_and_stopping_hold_at_once(void **state)
{
    struct record paused = {.pauses = true}, stopped = {.stops = true};

    (void)state;
    read_lines(&paused, pipe_with("a\nb\n"));
    assert_string_equal(paused.text, "a|_b|_.");
    read_lines(&stopped, pipe_with("a\nb\n"));
    assert_string_equal(stopped.text, "a|");
}

/* A line over the limit is handed over as such: it does not fill the memory. */
static void a_line_that_is_too_long_is_told_early(void **state)
{
    struct record record = {.stops = true};

    (void)state;
    read_lines(&record, pipe_with("123456789abcdef\nnext\n"));
    assert_string_equal(record.text, "123456789abcdef|");
    memset(&record, 0, sizeof(record));
    read_lines(&record, pipe_with("12345678\n"));
    assert_string_equal(record.text, "12345678|.");
}

/* What is behind the limit is no line of its own: it would be sent as a message. */
static void the_rest_of_a_line_that_is_too_long_is_passed_over(void **state)
{
    enum { LONG = 200000 }; /* more than is read at once */
    struct record record = {0};
    char *text = malloc(LONG + sizeof("\nnext\n"));

    (void)state;
    CHECK(text != NULL);
    memset(text, 'x', LONG);
    memcpy(text + LONG, "\nnext\n", sizeof("\nnext\n"));
    record.cuts = true;
    read_lines(&record, file_with(text));
    assert_string_equal(record.text, "x|next|.");
    free(text);
}

/* A descriptor that cannot be read ends with an error, not in silence. */
static void an_unreadable_input_is_told(void **state)
{
    struct record record = {0};
    int fd = open("/", O_RDONLY | O_DIRECTORY);

    (void)state;
    read_lines(&record, fd);
    assert_string_equal(record.text, "!");
}

/* One message may not be larger than its limit; reading stops soon after. */
static void reading_all_ends_at_the_limit(void **state)
{
    struct signet_buf out = {0};
    int fd = pipe_with("12345");

    (void)state;
    CHECK_OK(input_read_all(fd, 5, &out));
    CHECK_SPAN(signet_buf_span(&out), "12345");
    (void)close(fd);
    signet_buf_free(&out);
    fd = pipe_with("123456");
    CHECK_ERR(input_read_all(fd, 5, &out), SIGNET_ERR_LIMIT);
    (void)close(fd);
    signet_buf_free(&out);
}

static uint64_t cpu_ms(void)
{
    struct timespec time;

    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Standard input may be somebody else's pipe, set not to block: waiting costs no time of the CPU. */
static void reading_all_waits_for_what_does_not_block(void **state)
{
    struct signet_buf out = {0};
    uint64_t before_ms;
    int ends[2];
    pid_t writer;

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        (void)usleep(500000);
        _exit(write(ends[1], "late", 4) == 4 ? 0 : 1);
    }
    (void)close(ends[1]);
    before_ms = cpu_ms();
    CHECK_OK(input_read_all(ends[0], 100, &out));
    assert_true(cpu_ms() - before_ms < 100);
    CHECK_SPAN(signet_buf_span(&out), "late");
    assert_int_equal(waitpid(writer, NULL, 0), writer);
    (void)close(ends[0]);
    signet_buf_free(&out);
}

/* The descriptor is shared with the shell: its flags stay. */
static void polling_leaves_the_descriptor_blocking(void **state)
{
    uv_loop_t loop;
    uv_poll_t poll;
    int fd = pipe_with("");

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(input_poll_init(&loop, &poll, fd), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    uv_close((uv_handle_t *)&poll, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    (void)close(fd);
}

TEST_FILE(input)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_from_pipes_and_files_alike),
        cmocka_unit_test(pausing_and_stopping_hold_at_once),
        cmocka_unit_test(a_line_that_is_too_long_is_told_early),
        cmocka_unit_test(the_rest_of_a_line_that_is_too_long_is_passed_over),
        cmocka_unit_test(an_unreadable_input_is_told),
        cmocka_unit_test(reading_all_ends_at_the_limit),
        cmocka_unit_test(reading_all_waits_for_what_does_not_block),
        cmocka_unit_test(polling_leaves_the_descriptor_blocking),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
