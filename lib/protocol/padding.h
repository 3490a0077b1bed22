/* Padding that hides lengths: docs/protocol.md, section 6.2 (Padme: Nikitin et al., PETS 2019). */
#ifndef PROTOCOL_PADDING_H
#define PROTOCOL_PADDING_H

#include <signet/buffer.h>

enum { PADDED_MIN = 256 /* bytes */ };

/* The padded length of content of `len` bytes. */
size_t padded_len(size_t len);

/* Append content || 0x80 || 00*. Errors: NOMEM. */
SIGNET_MUST_USE enum signet_err padding_add(signet_span content, struct signet_buf *out);

/* The content inside; it borrows. Errors: FORMAT (any other padding or length). */
SIGNET_MUST_USE enum signet_err padding_strip(signet_span padded, signet_span *content_out);

#endif
