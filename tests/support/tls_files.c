/* Two server identities in a directory of their own. */
#include "tests/support/tls_files.h"

#include <stdio.h>
#include <stdlib.h>

#include <unistd.h>

#include "io/tls_identity.h"

bool tls_files_make(struct tls_files *files)
{
    snprintf(files->directory, sizeof(files->directory), "/tmp/signet-tls-XXXXXX");
    if (mkdtemp(files->directory) == NULL) {
        perror("mkdtemp");
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        enum signet_err err;

        snprintf(files->key[i], sizeof(files->key[i]), "%s/%zu.key", files->directory, i);
        snprintf(files->certificate[i], sizeof(files->certificate[i]), "%s/%zu.pem",
            files->directory, i);
        err = tls_make_identity(
            files->key[i], files->certificate[i], "relay.example", &files->pin[i]);
        if (err != SIGNET_OK) {
            fprintf(stderr, "tls_make_identity: %s\n", signet_err_text(err));
            return false;
        }
    }
    return true;
}

void tls_files_remove(struct tls_files *files)
{
    for (size_t i = 0; i < 2; i++) {
        unlink(files->key[i]);
        unlink(files->certificate[i]);
    }
    rmdir(files->directory);
}

int tls_files_set_up(void **state)
{
    static struct tls_files files;

    *state = &files;
    return tls_files_make(&files) ? 0 : -1;
}

int tls_files_tear_down(void **state)
{
    tls_files_remove(*state);
    return 0;
}
