/* Growing runs of bytes that may be secret: an old block is wiped before it is freed. */
#define _DEFAULT_SOURCE /* explicit_bzero */
#include <signet/buffer.h>

#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 64 };

enum signet_err signet_buf_reserve(struct signet_buf *buf, size_t more)
{
    size_t wanted;
    uint8_t *fresh;

    if (more <= buf->capacity - buf->len)
        return SIGNET_OK;
    if (more > SIZE_MAX / 2 - buf->len)
        return SIGNET_ERR_NOMEM;
    wanted = buf->len + more;
    if (wanted < buf->capacity * 2)
        wanted = buf->capacity * 2;
    if (wanted < SMALLEST)
        wanted = SMALLEST;
    /* Not realloc: it would leave a copy of the old bytes behind. */
    fresh = malloc(wanted);
    if (fresh == NULL)
        return SIGNET_ERR_NOMEM;
    if (buf->len > 0)
        memcpy(fresh, buf->ptr, buf->len);
    if (buf->ptr != NULL) {
        explicit_bzero(buf->ptr, buf->len);
        free(buf->ptr);
    }
    buf->ptr = fresh;
    buf->capacity = wanted;
    return SIGNET_OK;
}

enum signet_err signet_buf_append(struct signet_buf *buf, signet_span bytes)
{
    enum signet_err err = signet_buf_reserve(buf, bytes.len);

    if (err != SIGNET_OK)
        return err;
    if (bytes.len > 0)
        memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
    buf->len += bytes.len;
    return SIGNET_OK;
}

enum signet_err signet_buf_fill(struct signet_buf *buf, uint8_t byte, size_t count)
{
    enum signet_err err = signet_buf_reserve(buf, count);

    if (err != SIGNET_OK)
        return err;
    if (count > 0)
        memset(buf->ptr + buf->len, byte, count);
    buf->len += count;
    return SIGNET_OK;
}

void signet_buf_consume(struct signet_buf *buf, size_t count)
{
    size_t left;

    if (count > buf->len)
        count = buf->len;
    if (count == 0)
        return; /* an empty buffer may have no block */
    left = buf->len - count;
    memmove(buf->ptr, buf->ptr + count, left);
    signet_buf_truncate(buf, left);
}

void signet_buf_truncate(struct signet_buf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    explicit_bzero(buf->ptr + len, buf->len - len);
    buf->len = len;
}

void signet_buf_free(struct signet_buf *buf)
{
    if (buf == NULL)
        return;
    if (buf->ptr != NULL) {
        explicit_bzero(buf->ptr, buf->len);
        free(buf->ptr);
    }
    memset(buf, 0, sizeof(*buf));
}
