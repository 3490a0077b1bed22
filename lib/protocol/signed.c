/* Signed objects: docs/protocol.md, section 2. */
#include "protocol/signed.h"

#include "wire/cose.h"

enum signet_err signed_make(const struct crypto_rsa_private *key, const char *typ,
    signet_span payload, struct signet_buf *out)
{
    struct signet_buf header = {0}, to_be_signed = {0}, signature = {0};
    enum signet_err err;

    if ((err = cose_protected_write(COSE_SINGLE, typ, &header)) != SIGNET_OK)
        goto out;
    if ((err = cose_to_be_signed(signet_buf_span(&header), payload, &to_be_signed)) != SIGNET_OK)
        goto out;
    if ((err = crypto_rsa_sign(key, signet_buf_span(&to_be_signed), &signature)) != SIGNET_OK)
        goto out;
    err = cose_sign1_write(typ, payload, signet_buf_span(&signature), out);
out:
    signet_buf_free(&header);
    signet_buf_free(&to_be_signed);
    signet_buf_free(&signature);
    return err;
}

static enum signet_err read_single(signet_span cose, const char *typ, struct cose_sign1 *out)
{
    enum signet_err err = cose_sign1_read(cose, typ, out);

    if (err == SIGNET_OK && out->profile != COSE_SINGLE)
        return SIGNET_ERR_PROFILE;
    return err;
}

enum signet_err signed_peek(signet_span cose, const char *typ, signet_span *payload_out)
{
    struct cose_sign1 sign1;
    enum signet_err err = read_single(cose, typ, &sign1);

    if (err == SIGNET_OK)
        *payload_out = sign1.payload;
    return err;
}

enum signet_err signed_open(const struct crypto_rsa_public *key, const char *typ, signet_span cose,
    signet_span *payload_out)
{
    struct signet_buf to_be_signed = {0};
    struct cose_sign1 sign1;
    enum signet_err err;

    if ((err = read_single(cose, typ, &sign1)) != SIGNET_OK)
        return err;
    err = cose_to_be_signed(sign1.protected_header, sign1.payload, &to_be_signed);
    if (err == SIGNET_OK)
        err = crypto_rsa_verify(key, signet_buf_span(&to_be_signed), sign1.signature);
    signet_buf_free(&to_be_signed);
    if (err == SIGNET_OK)
        *payload_out = sign1.payload;
    return err;
}
