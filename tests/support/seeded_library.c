/*
 * Seeded randomness, as a provider of OpenSSL (provider-rand(7)) in a context of its own: block i
 * of the stream is SHA-256(seed || i). All generators of the context draw from one stream, as each
 * thread's public and private ones would otherwise give the same bytes.
 */
#include "tests/support/seeded_library.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

enum { BLOCK_LEN = 32, STRENGTH = 256 };

struct generator {
    pthread_mutex_t lock;
    uint64_t input[2]; /* seed, number of the next block */
    uint64_t drawn;    /* bytes */
    size_t left;       /* bytes at the end of `block` that are not drawn yet */
    uint8_t block[BLOCK_LEN];
};

static bool refill(struct generator *g)
{
    g->left = BLOCK_LEN;
    /* From the default context: this one has no other use for it. */
    if (EVP_Q_digest(NULL, "SHA256", NULL, g->input, sizeof(g->input), g->block, NULL) != 1)
        return false;
    g->input[1]++;
    return true;
}

/* OpenSSL's signature for newctx, lock and the like; all generators are the provider's one. */
static void *rand_newctx(void *provider, void *parent, const OSSL_DISPATCH *parent_calls)
{
    (void)parent;
    (void)parent_calls;
    return provider;
}

static void rand_freectx(void *ctx)
{
    (void)ctx;
}

static int rand_instantiate(void *ctx, unsigned strength, int resistance,
    const unsigned char *personal, size_t personal_len, const OSSL_PARAM params[])
{
    (void)ctx, (void)strength, (void)resistance, (void)personal, (void)personal_len, (void)params;
    return 1;
}

static int rand_uninstantiate(void *ctx)
{
    (void)ctx;
    return 1;
}

static int rand_generate(void *ctx, unsigned char *out, size_t len, unsigned strength,
    int resistance, const unsigned char *extra, size_t extra_len)
{
    struct generator *g = ctx;
    bool is_ok = true;

    (void)strength, (void)resistance, (void)extra, (void)extra_len;
    (void)pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < len && is_ok; i++) {
        is_ok = g->left > 0 || refill(g);
        out[i] = g->block[BLOCK_LEN - g->left--];
    }
    g->drawn += len;
    (void)pthread_mutex_unlock(&g->lock);
    return is_ok;
}

static int rand_enable_locking(void *ctx)
{
    (void)ctx;
    return 1;
}

static int rand_lock(void *ctx)
{
    (void)ctx;
    return 1;
}

static void rand_unlock(void *ctx)
{
    (void)ctx;
}

static int rand_get_params(void *ctx, OSSL_PARAM params[])
{
    OSSL_PARAM *state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
    OSSL_PARAM *strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    OSSL_PARAM *request = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);

    (void)ctx;
    return (state == NULL || OSSL_PARAM_set_int(state, EVP_RAND_STATE_READY)) &&
           (strength == NULL || OSSL_PARAM_set_uint(strength, STRENGTH)) &&
           (request == NULL || OSSL_PARAM_set_size_t(request, 1 << 16));
}

static void generator_free(void *provider)
{
    struct generator *g = provider;

    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

#define CALL(function) (void (*)(void))(function)

static const OSSL_DISPATCH rand_calls[] = {
    {OSSL_FUNC_RAND_NEWCTX, CALL(rand_newctx)},
    {OSSL_FUNC_RAND_FREECTX, CALL(rand_freectx)},
    {OSSL_FUNC_RAND_INSTANTIATE, CALL(rand_instantiate)},
    {OSSL_FUNC_RAND_UNINSTANTIATE, CALL(rand_uninstantiate)},
    {OSSL_FUNC_RAND_GENERATE, CALL(rand_generate)},
    {OSSL_FUNC_RAND_ENABLE_LOCKING, CALL(rand_enable_locking)},
    {OSSL_FUNC_RAND_LOCK, CALL(rand_lock)},
    {OSSL_FUNC_RAND_UNLOCK, CALL(rand_unlock)},
    {OSSL_FUNC_RAND_GET_CTX_PARAMS, CALL(rand_get_params)},
    {0, NULL},
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM rands[] = {
        {"SEEDED", "provider=seeded", rand_calls, NULL}, {NULL, NULL, NULL, NULL}};

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_RAND ? rands : NULL;
}

static const OSSL_DISPATCH provider_calls[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, CALL(query)},
    {OSSL_FUNC_PROVIDER_TEARDOWN, CALL(generator_free)},
    {0, NULL},
};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider_out)
{
    struct generator *g = calloc(1, sizeof(*g));

    (void)handle;
    (void)in;
    if (g == NULL || pthread_mutex_init(&g->lock, NULL) != 0) {
        free(g);
        return 0;
    }
    *out = provider_calls;
    *provider_out = g;
    return 1;
}

static void must(bool is_done, const char *what)
{
    if (is_done)
        return;
    (void)fprintf(stderr, "seeded library: cannot %s\n", what);
    abort();
}

struct seeded_library seeded_library_new(uint64_t seed)
{
    struct seeded_library seeded = {.openssl = OSSL_LIB_CTX_new()};
    struct generator *g;

    must(seeded.openssl != NULL, "make a context");
    must(OSSL_PROVIDER_add_builtin(seeded.openssl, "seeded", provider_init) == 1, "add provider");
    seeded.generator = OSSL_PROVIDER_load(seeded.openssl, "seeded");
    must(seeded.generator != NULL, "load the generator");
    seeded.algorithms = OSSL_PROVIDER_load(seeded.openssl, "default");
    must(seeded.algorithms != NULL, "load the default provider");
    must(RAND_set_DRBG_type(seeded.openssl, "SEEDED", NULL, NULL, NULL) == 1, "set the generator");
    g = OSSL_PROVIDER_get0_provider_ctx(seeded.generator);
    g->input[0] = seed;
    must(signet_library_new(seeded.openssl, &seeded.library) == SIGNET_OK, "make the library");
    return seeded;
}

void seeded_library_free(struct seeded_library *seeded)
{
    signet_library_free(seeded->library);
    (void)OSSL_PROVIDER_unload(seeded->algorithms);
    (void)OSSL_PROVIDER_unload(seeded->generator);
    OSSL_LIB_CTX_free(seeded->openssl);
    memset(seeded, 0, sizeof(*seeded));
}

uint64_t seeded_library_drawn(const struct seeded_library *seeded)
{
    const struct generator *g = OSSL_PROVIDER_get0_provider_ctx(seeded->generator);

    return g->drawn;
}
