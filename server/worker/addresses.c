/* A chained hash map under one lock: it is taken twice in the life of a connection. */
#include "server/worker/addresses.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io/clock.h"

enum { BUCKETS = 4096 };

struct address {
    struct address *next;
    uint64_t key;
    uint64_t connections;
};

struct addresses {
    pthread_mutex_t lock; /* over all that follows */
    uint64_t max;
    uint64_t seed; /* others choose addresses, but cannot aim at one bucket */
    struct address *buckets[BUCKETS];
};

enum signet_err addresses_new(uint64_t max, struct addresses **addresses_out)
{
    struct addresses *addresses = calloc(1, sizeof(*addresses));

    if (addresses == NULL)
        return SIGNET_ERR_NOMEM;
    (void)pthread_mutex_init(&addresses->lock, NULL); /* cannot fail with these attributes */
    addresses->max = max;
    addresses->seed = clock_wall_ms() ^ (uint64_t)(uintptr_t)addresses << 20;
    *addresses_out = addresses;
    return SIGNET_OK;
}

void addresses_free(struct addresses *addresses)
{
    if (addresses == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (addresses->buckets[i] != NULL) {
            struct address *address = addresses->buckets[i];

            addresses->buckets[i] = address->next;
            free(address);
        }
    }
    (void)pthread_mutex_destroy(&addresses->lock);
    free(addresses);
}

/* IPv4 in the low half, below the unspecified /64; IPv6 by its prefix. */
static uint64_t key_of(const struct socket_address *peer)
{
    uint64_t prefix;

    if (peer->u.any.sa_family == AF_INET)
        return peer->u.v4.sin_addr.s_addr;
    memcpy(&prefix, peer->u.v6.sin6_addr.s6_addr, sizeof(prefix));
    return prefix | UINT64_C(1) << 63; /* never one of IPv4 */
}

/* Where that address is, or would be. */
static struct address **place_of(struct addresses *addresses, uint64_t key)
{
    uint64_t mixed = (key ^ addresses->seed) * UINT64_C(0x9e3779b97f4a7c15);
    struct address **link = &addresses->buckets[mixed >> 52];

    while (*link != NULL && (*link)->key != key)
        link = &(*link)->next;
    return link;
}

static bool enter(struct addresses *addresses, uint64_t key)
{
    struct address **link = place_of(addresses, key);
    struct address *address = *link;

    if (address != NULL && addresses->max > 0 && address->connections >= addresses->max)
        return false;
    if (address == NULL) {
        address = calloc(1, sizeof(*address));
        if (address == NULL)
            return false;
        address->key = key;
        *link = address;
    }
    address->connections++;
    return true;
}

bool addresses_enter(struct addresses *addresses, const struct socket_address *peer)
{
    bool has_room;

    pthread_mutex_lock(&addresses->lock);
    has_room = enter(addresses, key_of(peer));
    pthread_mutex_unlock(&addresses->lock);
    return has_room;
}

void addresses_leave(struct addresses *addresses, const struct socket_address *peer)
{
    struct address **link, *address;

    pthread_mutex_lock(&addresses->lock);
    link = place_of(addresses, key_of(peer));
    address = *link;
    if (address != NULL && --address->connections == 0) {
        *link = address->next;
        free(address);
    }
    pthread_mutex_unlock(&addresses->lock);
}

void addresses_set_max(struct addresses *addresses, uint64_t max)
{
    pthread_mutex_lock(&addresses->lock);
    addresses->max = max;
    pthread_mutex_unlock(&addresses->lock);
}
