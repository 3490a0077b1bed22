/* Two accounts, and two clients that are logged in (core_pair.h). */
#include "tests/support/core_pair.h"

struct signet_library *library;
struct signet_account *alice, *bob;

void core_accounts_make_at(uint64_t now_ms)
{
    CHECK_OK(signet_library_new(NULL, &library));
    alice = core_rig_account(library, 0, now_ms);
    bob = core_rig_account(library, 1, now_ms);
}

int core_accounts_make(void **state)
{
    (void)state;
    core_accounts_make_at(CORE_RIG_START_MS);
    return 0;
}

int core_accounts_free(void **state)
{
    (void)state;
    signet_account_free(alice);
    signet_account_free(bob);
    signet_library_free(library);
    return 0;
}

void core_pair_open(struct core_pair *pair)
{
    core_rig_open(&pair->rig, library);
    core_pair_join(pair, 1);
}

void core_pair_join(struct core_pair *pair, uint32_t worker)
{
    core_client_open(&pair->alice, &pair->rig, 0);
    core_client_join(&pair->alice, alice, "alice");
    core_client_open(&pair->bob, &pair->rig, worker);
    core_client_join(&pair->bob, bob, "bob");
}

void core_pair_close(struct core_pair *pair)
{
    core_client_close(&pair->alice);
    core_client_close(&pair->bob);
    core_rig_close(&pair->rig);
}

void core_pair_put(struct core_pair *pair, const char *text)
{
    CHECK(core_client_put(&pair->alice, signet_account_device(bob), signet_span_str(text)) == 0);
}
