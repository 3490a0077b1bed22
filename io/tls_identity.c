/* A server's TLS key and certificate as files, and the pins that name them. */
#include "io/tls_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "io/tls_pin.h"

enum {
    VALID_DAYS = 3652, /* ten years */
    SERIAL_BITS = 127,
    HOST_MAX = 253, /* RFC 1035, section 2.3.4, as text */
    DAY_SECONDS = 86400,
};

/* ---- pins ---- */

/* Takes the DER away. */
static enum signet_err pin_of_der(uint8_t *der, int len, struct signet_id *pin_out)
{
    struct signet_id pin;
    size_t pin_len = 0;
    bool is_done;

    if (der == NULL || len <= 0)
        return SIGNET_ERR_NOMEM;
    is_done = EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)len, pin.b, &pin_len) == 1 &&
              pin_len == sizeof(pin.b);
    OPENSSL_free(der);
    if (!is_done)
        return SIGNET_ERR_CRYPTO;
    *pin_out = pin;
    return SIGNET_OK;
}

enum signet_err tls_pin_of_certificate(const X509 *certificate, struct signet_id *pin_out)
{
    uint8_t *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    return pin_of_der(der, len, pin_out);
}

enum signet_err tls_pin_of_key(const EVP_PKEY *key, struct signet_id *pin_out)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);

    return pin_of_der(der, len, pin_out);
}

int tls_no_passphrase(char *text, int size, int is_write, void *arg)
{
    (void)text;
    (void)size;
    (void)is_write;
    (void)arg;
    return 0;
}

static FILE *open_pem(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

    if (file == NULL && fd >= 0)
        close(fd);
    return file;
}

enum signet_err tls_key_pin(const char *key_path, struct signet_id *pin_out)
{
    FILE *file = open_pem(key_path);
    enum signet_err err = SIGNET_ERR_KEY;
    EVP_PKEY *key;

    if (file == NULL)
        return SIGNET_ERR_IO;
    key = PEM_read_PrivateKey(file, NULL, tls_no_passphrase, NULL);
    fclose(file);
    if (key != NULL)
        err = tls_pin_of_key(key, pin_out);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

enum signet_err tls_certificate_pin(const char *certificate_path, struct signet_id *pin_out)
{
    FILE *file = open_pem(certificate_path);
    enum signet_err err = SIGNET_ERR_KEY;
    X509 *certificate;

    if (file == NULL)
        return SIGNET_ERR_IO;
    certificate = PEM_read_X509(file, NULL, tls_no_passphrase, NULL);
    fclose(file);
    if (certificate != NULL)
        err = tls_pin_of_certificate(certificate, pin_out);
    X509_free(certificate);
    ERR_clear_error();
    return err;
}

/* ---- files ---- */

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

/* The new name itself must survive a power failure. */
static bool sync_directory(const char *path)
{
    char *copy = strdup(path);
    bool is_synced = false;
    int fd;

    if (copy == NULL)
        return false;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd >= 0) {
        is_synced = fsync(fd) == 0;
        close(fd);
    }
    return is_synced;
}

static enum signet_err write_file(const char *path, BIO *contents)
{
    char *bytes;
    long len = BIO_get_mem_data(contents, &bytes);
    bool is_written;
    int fd, kept;

    if (len <= 0)
        return SIGNET_ERR_CRYPTO;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return SIGNET_ERR_IO;
    is_written = write_all(fd, bytes, (size_t)len);
    if (close(fd) == 0 && is_written && sync_directory(path))
        return SIGNET_OK;
    kept = errno;
    unlink(path);
    errno = kept;
    return SIGNET_ERR_IO;
}

/* ---- making ---- */

static bool is_address(const char *host)
{
    uint8_t bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Nothing that the extension's little language would take for a second name. */
static bool is_host(const char *host)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t len = strlen(host);

    return is_address(host) || (len > 0 && len <= HOST_MAX && host[strspn(host, allowed)] == '\0');
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    bool is_set = serial != NULL &&
                  BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                  BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;

    BN_free(serial);
    return is_set;
}

static bool set_name(X509 *certificate)
{
    static const unsigned char common_name[] = "signetd";
    X509_NAME *name = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1;
}

static bool set_host(X509 *certificate, const char *host)
{
    char text[HOST_MAX + sizeof("DNS:")];
    X509_EXTENSION *extension;
    bool is_set;

    snprintf(text, sizeof(text), "%s:%s", is_address(host) ? "IP" : "DNS", host);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    is_set = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_set;
}

/* RFC 5280, as little of it as a pinned key needs. */
static X509 *make_certificate(EVP_PKEY *key, const char *host)
{
    X509 *certificate = X509_new();

    if (certificate == NULL)
        return NULL;
    if (X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
        /* A day of grace for clocks that are behind. */
        X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) != NULL &&
        X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, NULL) != NULL &&
        set_name(certificate) && X509_set_pubkey(certificate, key) == 1 &&
        set_host(certificate, host) && X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static enum signet_err write_pair(
    const char *key_path, BIO *key_text, const char *certificate_path, BIO *certificate_text)
{
    enum signet_err err;

    if ((err = write_file(key_path, key_text)) != SIGNET_OK)
        return err;
    if ((err = write_file(certificate_path, certificate_text)) != SIGNET_OK) {
        int kept = errno;

        unlink(key_path);
        errno = kept;
    }
    return err;
}

enum signet_err tls_make_identity(
    const char *key_path, const char *certificate_path, const char *host, struct signet_id *pin_out)
{
    enum signet_err err = SIGNET_ERR_CRYPTO;
    BIO *key_text = BIO_new(BIO_s_secmem());
    BIO *certificate_text = BIO_new(BIO_s_mem());
    X509 *certificate = NULL;
    EVP_PKEY *key = NULL;
    struct signet_id pin;

    if (!is_host(host)) {
        err = SIGNET_ERR_ARGUMENT;
        goto out;
    }
    if (key_text == NULL || certificate_text == NULL) {
        err = SIGNET_ERR_NOMEM;
        goto out;
    }
    if ((key = EVP_EC_gen("P-256")) == NULL ||
        (certificate = make_certificate(key, host)) == NULL ||
        PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(certificate_text, certificate) != 1)
        goto out;
    if ((err = tls_pin_of_key(key, &pin)) != SIGNET_OK)
        goto out;
    err = write_pair(key_path, key_text, certificate_path, certificate_text);
    if (err == SIGNET_OK)
        *pin_out = pin;
out:
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_text);
    BIO_free(key_text);
    ERR_clear_error();
    return err;
}
