/* signetd backup: the store in one file, while the relay runs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "server/admin/data.h"
#include "server/admin/setup.h"
#include "server/command.h"
#include "server/store/sqlite/backup.h"

static int run(const struct arguments *arguments)
{
    char store[DATA_PATH_SIZE], problem[STORE_BACKUP_ERROR_SIZE];
    struct config config;
    int code = setup_config(arguments->data, NULL, &config); /* is it a relay? */

    if (code != EXIT_DONE)
        return code;
    if (data_path(arguments->data, DATA_STORE, store) != SIGNET_OK)
        return complain(EXIT_FAILED, "the path %s is too long", arguments->data);
    if (access(store, R_OK) != 0)
        return complain(EXIT_FAILED, "cannot read %s: %s", store, strerror(errno));
    if (store_backup(store, arguments->file, problem) != SIGNET_OK)
        return complain(EXIT_FAILED, "cannot copy %s to %s: %s", store, arguments->file, problem);
    return EXIT_DONE;
}

const struct command command_backup = {
    .name = "backup",
    .usage = "--data DIR FILE",
    .summary = "copy the relay's store to a new file, also while the relay runs",
    .options = " data ",
    .needs_file = true,
    .run = run,
};
