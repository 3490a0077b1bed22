/* OpenSSL's own operations, with nothing around them: what the client's are compared with. Each
 * ends the process where it fails. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

enum raw_operation {
    RAW_SIGN, /* RSA-3072, PSS */
    RAW_VERIFY,
    RAW_WRAP, /* RSA-3072, OAEP */
    RAW_UNWRAP,
    RAW_DH_KEY, /* X25519: a fresh pair */
    RAW_DH,     /* and a shared secret */
    RAW_SEAL,   /* AES-256-GCM of 512 bytes */
    RAW_HKDF,   /* HKDF-SHA-256, expand to 76 bytes */
    RAW_COUNT,
};

void raw_begin(void);
void raw_end(void);
void raw_run(enum raw_operation which);

#endif
