/* RSA keys kept in files, so that tests need not generate them again. */
#include "tests/support/key_pool.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what, const char *path)
{
    (void)fprintf(stderr, "key pool: cannot %s %s: %s\n", what, path, strerror(errno));
    abort();
}

static const char *pool_folder(void)
{
    const char *folder = getenv("SIGNET_KEY_POOL");

    if (folder == NULL || folder[0] == '\0')
        folder = KEY_POOL_DIR;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        give_up("make", folder);
    return folder;
}

static void write_all(const char *path, FILE *file, signet_span bytes)
{
    if (fwrite(bytes.ptr, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
        give_up("write", path);
}

/* The file appears whole or not at all. Where two processes make the same key, the first one's
 * stays. */
static void create(
    struct signet_library *library, unsigned bits, const char *folder, const char *path)
{
    struct crypto_rsa_private *key = NULL;
    struct signet_buf pkcs8 = {0};
    char temporary[PATH_MAX];
    int fd;

    (void)snprintf(temporary, sizeof(temporary), "%s/.new-XXXXXX", folder);
    fd = mkstemp(temporary);
    if (fd < 0)
        give_up("make", temporary);
    if (crypto_rsa_generate(library, bits, &key) != SIGNET_OK ||
        crypto_rsa_private_write(key, &pkcs8) != SIGNET_OK)
        give_up("generate", path);
    write_all(temporary, fdopen(fd, "wb"), signet_buf_span(&pkcs8));
    if (link(temporary, path) != 0 && errno != EEXIST)
        give_up("make", path);
    (void)unlink(temporary);
    crypto_rsa_private_free(key);
    signet_buf_free(&pkcs8);
}

struct crypto_rsa_private *key_pool_take(
    struct signet_library *library, unsigned bits, unsigned index)
{
    struct crypto_rsa_private *key = NULL;
    uint8_t pkcs8[CRYPTO_RSA_PRIVATE_MAX];
    const char *folder = pool_folder();
    char path[PATH_MAX];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s/rsa-%u-%u.der", folder, bits, index);
    if (access(path, R_OK) != 0)
        create(library, bits, folder, path);
    file = fopen(path, "rb");
    if (file == NULL)
        give_up("open", path);
    len = fread(pkcs8, 1, sizeof(pkcs8), file);
    (void)fclose(file);
    if (crypto_rsa_private_read(library, signet_span_of(pkcs8, len), &key) != SIGNET_OK)
        give_up("read a key from", path);
    return key;
}
