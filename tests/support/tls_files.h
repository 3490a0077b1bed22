/* Two server identities in a directory of their own, for tests that speak TLS. */
#ifndef TESTS_TLS_FILES_H
#define TESTS_TLS_FILES_H

#include <signet/id.h>

struct tls_files {
    char directory[64];
    char key[2][96];
    char certificate[2][96];
    struct signet_id pin[2];
};

/* False: the reason is on stderr. */
bool tls_files_make(struct tls_files *files);
void tls_files_remove(struct tls_files *files);

/* The same for cmocka's groups: the state is the files, of which a program has one set. */
int tls_files_set_up(void **state);
int tls_files_tear_down(void **state);

#endif
