/*
 * Feeds files, and the files of folders, to a fuzz target: so that any compiler, sanitizer or
 * debugger can run a corpus, and a finding stays a test.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

enum { PATH_SIZE = 4096 };

/* Into a block of exactly the file's size, so that a sanitizer sees a read beyond it. */
static int replay_file(const char *path, size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    int failed = -1;

    if (bytes != NULL && file != NULL && fread(bytes, 1, size, file) == size) {
        (void)LLVMFuzzerTestOneInput(bytes, size);
        failed = 0;
    }
    if (file != NULL)
        (void)fclose(file);
    free(bytes);
    return failed;
}

/* How many files were fed, or -1. */
static int replay(const char *path)
{
    struct dirent **entries;
    struct stat info;
    int entry_count, fed = 0;

    if (stat(path, &info) != 0)
        return -1;
    if (!S_ISDIR(info.st_mode))
        return replay_file(path, (size_t)info.st_size) == 0 ? 1 : -1;
    entry_count = scandir(path, &entries, NULL, alphasort);
    if (entry_count < 0)
        return -1;
    for (int i = 0; i < entry_count; i++) {
        const char *name = entries[i]->d_name;
        char inner[PATH_SIZE];
        int len = snprintf(inner, sizeof(inner), "%s/%s", path, name);

        if (fed >= 0 && name[0] != '.') {
            int more = len > 0 && len < PATH_SIZE ? replay(inner) : -1;

            fed = more < 0 ? -1 : fed + more;
        }
        free(entries[i]);
    }
    free(entries);
    return fed;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int fed = replay(argv[i]);

        if (fed < 0) {
            perror(argv[i]);
            return 1;
        }
        total += fed;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
