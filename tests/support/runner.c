/*
 * Runs test files: all of a runner, or those that are named.
 *
 *   run_engine [--only FILE]...
 *
 * Several run one after the other, each in a process of its own: none sees what another has left
 * in memory, and one that crashes ends nothing but itself. A single one runs in this process,
 * where a debugger finds it. What they print is TAP if CMOCKA_MESSAGE_OUTPUT=TAP.
 */
#include "tests/support/runner.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const struct test_file *find(const char *name)
{
    const struct test_file *file = test_files;

    while (file->name != NULL && strcmp(file->name, name) != 0)
        file++;
    return file->name != NULL ? file : NULL;
}

static int run(const struct test_file *file)
{
    return file->run() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* False: a test failed, or the process was ended. */
static bool run_apart(const struct test_file *file)
{
    int status = 0;
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    if (child == 0)
        exit(run(file));
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror(file->name);
        return false;
    }
    if (WIFSIGNALED(status))
        printf("not ok - %s was ended by signal %d\n", file->name, WTERMSIG(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static int run_all(void)
{
    int code = EXIT_SUCCESS;

    for (const struct test_file *file = test_files; file->name != NULL; file++)
        if (!run_apart(file))
            code = EXIT_FAILURE;
    return code;
}

static bool are_files(int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--only") != 0 || i + 1 == argc) {
            (void)fprintf(stderr, "usage: %s [--only FILE]...\n", argv[0]);
            return false;
        }
        if (find(argv[i + 1]) == NULL) {
            (void)fprintf(stderr, "%s: no test file is named %s\n", argv[0], argv[i + 1]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    int code = EXIT_SUCCESS;

    if (!are_files(argc, argv))
        return EXIT_USAGE;
    if (argc == 1)
        return run_all();
    if (argc == 3)
        return run(find(argv[2]));
    for (int i = 2; i < argc; i += 2)
        if (!run_apart(find(argv[i])))
            code = EXIT_FAILURE;
    return code;
}
