/* A home, and a person to make and open it (home_rig.h). */
#include "tests/support/home_rig.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/record_checks.h"

static bool person_is_present(void *ctx)
{
    return ((const struct home_person *)ctx)->is_present;
}

static enum signet_err person_passphrase(void *ctx, const char *prompt, struct signet_buf *out)
{
    struct home_person *person = ctx;
    const char *answer;

    CHECK(strstr(prompt, ": ") != NULL);
    if (person->answers == NULL || (answer = person->answers[person->asked]) == NULL)
        return SIGNET_ERR_STATE;
    person->asked++;
    return signet_buf_append(out, signet_span_str(answer));
}

struct home_rig *home_rig_new(void **state)
{
    struct home_rig *rig = calloc(1, sizeof(*rig));

    CHECK(rig != NULL);
    (void)snprintf(rig->folder, sizeof(rig->folder), "/tmp/signet-home-XXXXXX");
    CHECK(mkdtemp(rig->folder) != NULL);
    rig->asker = (struct asker){&rig->person, person_is_present, person_passphrase};
    rig->report.err = open_memstream(&rig->said, &rig->said_len);
    CHECK(rig->report.err != NULL);
    rig->place = (struct home_place){rig->folder, *state, &rig->report, &rig->asker};
    return rig;
}

void home_rig_free(struct home_rig *rig)
{
    char path[384];
    DIR *folder = opendir(rig->folder);
    const struct dirent *entry;

    home_close(rig->home);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", rig->folder, entry->d_name);
        if (entry->d_name[0] != '.')
            CHECK(unlink(path) == 0);
    }
    if (folder != NULL)
        CHECK(closedir(folder) == 0);
    CHECK(rmdir(rig->folder) == 0);
    CHECK(fclose(rig->report.err) == 0);
    free(rig->said);
    free(rig);
}

void home_rig_path(const struct home_rig *rig, const char *name, char path[HOME_RIG_PATH_SIZE])
{
    (void)snprintf(path, HOME_RIG_PATH_SIZE, "%s/%s", rig->folder, name);
}

bool home_rig_has(const struct home_rig *rig, const char *name)
{
    char path[HOME_RIG_PATH_SIZE];

    home_rig_path(rig, name, path);
    return access(path, F_OK) == 0;
}

void home_rig_check_mode(const struct home_rig *rig, const char *name, mode_t wanted)
{
    struct stat status;
    char path[HOME_RIG_PATH_SIZE];

    home_rig_path(rig, name, path);
    CHECK(stat(path, &status) == 0);
    CHECK((status.st_mode & 0777) == wanted);
}

void home_rig_check_said(struct home_rig *rig, const char *text)
{
    CHECK(fflush(rig->report.err) == 0);
    if (text[0] == '\0' ? rig->said_len != 0
                        : memmem(rig->said, rig->said_len, text, strlen(text)) == NULL)
        fail_msg("said \"%s\", wanted \"%s\"", rig->said, text);
    rewind(rig->report.err);
}

static struct record_source source_of(struct home_rig *rig)
{
    return store_source(home_store(rig->home));
}

void home_rig_put_account(struct home_rig *rig)
{
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);
    struct record_batch batch = {0};

    batch_put(&batch, &key, "account");
    CHECK_OK(store_commit(home_store(rig->home), &batch));
    record_batch_clear(&batch);
}

void home_rig_close(struct home_rig *rig)
{
    home_close(rig->home);
    rig->home = NULL;
}

void home_rig_check_opens(struct home_rig *rig)
{
    struct record_key key = key_of(RECORD_ACCOUNT, "", 0);

    rig->person.asked = 0;
    CHECK_OK(home_open(&rig->place, &rig->home));
    check_value(source_of(rig), &key, "account");
    home_rig_close(rig);
}

void home_rig_check_refused(struct home_rig *rig, enum signet_err wanted, const char *text)
{
    rig->person.asked = 0;
    CHECK_ERR(home_open(&rig->place, &rig->home), wanted);
    CHECK(rig->home == NULL);
    home_rig_check_said(rig, text);
}

void home_rig_make(struct home_rig *rig)
{
    CHECK_OK(home_create(&rig->place, &rig->home));
    home_rig_put_account(rig);
    home_rig_close(rig);
    rewind(rig->report.err);
}
