/*
 * Load for a running relay.
 *
 *   bench_load DATA PORT PID CORE messages PAIRS WINDOW SECONDS [reader|deaf|mute]
 *   bench_load DATA PORT PID CORE logins AT_ONCE SECONDS
 *   bench_load DATA PORT PID CORE idle COUNT
 *   bench_load DATA PORT PID CORE promises PAIRS WINDOW
 *
 * DATA is the relay's folder, prepared by bench_fill; PID its process; CORE where to run.
 */
#include "bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/common.h"

static int usage(void)
{
    (void)fprintf(stderr, "usage: bench_load DATA PORT PID CORE messages PAIRS WINDOW SECONDS "
                          "[reader|deaf|mute]\n"
                          "       bench_load DATA PORT PID CORE logins AT_ONCE SECONDS\n"
                          "       bench_load DATA PORT PID CORE idle COUNT\n"
                          "       bench_load DATA PORT PID CORE promises PAIRS WINDOW\n");
    return 2;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    bench_check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "read the limit of descriptors");
    limit.rlim_cur = limit.rlim_max;
    bench_check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "raise the limit of descriptors");
}

static enum load_beside beside(const char *word)
{
    if (strcmp(word, "reader") == 0)
        return LOAD_BESIDE_READER;
    if (strcmp(word, "deaf") == 0)
        return LOAD_BESIDE_DEAF;
    bench_check(strcmp(word, "mute") == 0, word);
    return LOAD_BESIDE_MUTE;
}

int main(int argc, char **argv)
{
    struct load load = {0};

    if (argc < 7)
        return usage();
    load.data = argv[1];
    load.port = (uint16_t)bench_number(argv[2], 65535);
    load.pid = (long)bench_number(argv[3], 1 << 30);
    bench_pin((unsigned)bench_number(argv[4], 1023));
    raise_descriptor_limit();
    bench_accounts_read(&load.accounts, load.data);
    if (strcmp(argv[5], "messages") == 0 && (argc == 9 || argc == 10))
        load_messages(&load,
            &(struct load_shape){.pairs = bench_number(argv[6], 8999),
                .window = bench_number(argv[7], 4096),
                .beside = argc == 10 ? beside(argv[9]) : LOAD_BESIDE_NOBODY},
            (double)bench_number(argv[8], 3600));
    else if (strcmp(argv[5], "logins") == 0 && argc == 8)
        load_logins(&load, bench_number(argv[6], 9000), (double)bench_number(argv[7], 3600));
    else if (strcmp(argv[5], "idle") == 0 && argc == 7)
        load_idle(&load, bench_number(argv[6], 18900));
    else if (strcmp(argv[5], "promises") == 0 && argc == 8)
        load_promises(&load, bench_number(argv[6], 9000), bench_number(argv[7], 4096));
    else
        return usage();
    free(load.accounts.encoded);
    signet_buf_free(&load.accounts.bytes);
    signet_library_free(load.accounts.library);
    return EXIT_SUCCESS;
}
