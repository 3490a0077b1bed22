/* A folder of its own for the store's file, on a disk that can be made to fail. */
#ifndef TESTS_STORE_FOLDER_H
#define TESTS_STORE_FOLDER_H

#include "tests/support/failing_disk.h"
#include "tests/support/store_rig.h"

enum { STORE_PATH_SIZE = 64 };

struct store_folder {
    struct rig rig; /* for the test to open and close */
    char folder[STORE_PATH_SIZE];
    char path[STORE_PATH_SIZE]; /* of the store; not there yet */
};

/* For cmocka: the state is a folder. */
int store_folder_make(void **state);
int store_folder_remove(void **state);
#define IN_FOLDER(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, store_folder_make, store_folder_remove)

/*
 * A bit of everything: accounts 1 (device 10) and 2 (device 20), an invitation, a bundle of device
 * 10 of which one of 9 prekeys is taken, the cold message 5 and the hot one 6 for device 10, the
 * message 7 for device 20.
 */
void store_fill(struct rig *rig);

#endif
