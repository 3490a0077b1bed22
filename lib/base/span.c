/* Borrowed runs of bytes. */
#include <signet/span.h>

#include <string.h>

signet_span signet_span_str(const char *text)
{
    return signet_span_of(text, text == NULL ? 0 : strlen(text));
}

bool signet_span_equal(signet_span a, signet_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

signet_span signet_span_from(signet_span span, size_t from)
{
    if (from >= span.len)
        return signet_span_of(NULL, 0);
    return signet_span_of(span.ptr + from, span.len - from);
}
