/*
 * The test files of one runner: a table that Meson makes of the files that it compiles
 * (test_files.c.in); runner.c runs them.
 */
#ifndef TESTS_RUNNER_H
#define TESTS_RUNNER_H

struct test_file {
    const char *name;
    int (*run)(void); /* how many of its tests failed */
};

extern const struct test_file test_files[]; /* ends with a NULL name */

#endif
