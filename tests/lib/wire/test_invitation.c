/* wire: invitations, protocol.md section 9; base64url, RFC 4648 section 5. */
#include "tests/support/unit.h"

#include <stdio.h>

#include "wire/invitation.h"

static struct invitation sample(const char *host, bool has_operator)
{
    struct invitation invitation = {.port = 4460, .has_operator = has_operator};

    CHECK(strlen(host) < sizeof(invitation.host));
    memcpy(invitation.host, host, strlen(host));
    memset(&invitation.pins[0], 0xfb, sizeof(invitation.pins[0]));
    memset(&invitation.pins[1], 0x11, sizeof(invitation.pins[1]));
    memset(invitation.token, 0xff, sizeof(invitation.token));
    if (has_operator)
        memset(&invitation.operator_address, 0x77, sizeof(invitation.operator_address));
    return invitation;
}

/* The line as a string. */
static void write_line(const struct invitation *invitation, char text[INVITATION_TEXT_MAX + 1])
{
    struct signet_buf buf = {0};

    CHECK_OK(invitation_write(invitation, &buf));
    CHECK(buf.len <= INVITATION_TEXT_MAX);
    memcpy(text, buf.ptr, buf.len);
    text[buf.len] = '\0';
    signet_buf_free(&buf);
}

static bool same(const struct invitation *a, const struct invitation *b)
{
    return strcmp(a->host, b->host) == 0 && a->port == b->port &&
           signet_id_equal(&a->pins[0], &b->pins[0]) && signet_id_equal(&a->pins[1], &b->pins[1]) &&
           memcmp(a->token, b->token, sizeof(a->token)) == 0 &&
           a->has_operator == b->has_operator &&
           signet_id_equal(&a->operator_address, &b->operator_address);
}

static void an_invitation_is_read_as_it_was_written(void **state)
{
    static const char *const hosts[] = {
        "relay.example", "192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "h", "a_b-c.example."};
    char text[INVITATION_TEXT_MAX + 1];

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct invitation invitation = sample(hosts[i / 2], i % 2 == 0), read;

        write_line(&invitation, text);
        CHECK(strpbrk(text, " \t\r\n=+") == NULL);
        CHECK_OK(invitation_read(text, &read));
        CHECK(same(&invitation, &read));
    }
}

/* RFC 3986, section 3.2.2: an IPv6 address stands in brackets. */
static void the_line_has_the_documented_form(void **state)
{
    struct invitation invitation = sample("2001:db8::7", false);
    char text[INVITATION_TEXT_MAX + 1];

    (void)state;
    write_line(&invitation, text);
    CHECK(strncmp(text, "signet://[2001:db8::7]:4460/hAGCWCD7-_v7-", 41) == 0);
    invitation = sample("relay.example", false);
    write_line(&invitation, text);
    CHECK(strncmp(text, "signet://relay.example:4460/hAGCWCD7-_v7-", 41) == 0);
}

static void surrounding_space_is_passed_over(void **state)
{
    struct invitation invitation = sample("relay.example", true), read;
    char text[INVITATION_TEXT_MAX + 1], spaced[INVITATION_TEXT_MAX + 9];

    (void)state;
    write_line(&invitation, text);
    (void)snprintf(spaced, sizeof(spaced), " \t%s\r\n", text);
    CHECK_OK(invitation_read(spaced, &read));
    CHECK(same(&invitation, &read));
}

static void check_refused(const char *text)
{
    struct invitation read = {.port = 7};

    if (invitation_read(text, &read) != SIGNET_ERR_FORMAT) {
        print_message("not refused: %s\n", text);
        fail();
    }
    CHECK(read.port == 7 && read.host[0] == '\0');
}

static void every_truncation_is_refused(void **state)
{
    struct invitation invitation = sample("2001:db8::7", true);
    char text[INVITATION_TEXT_MAX + 1], cut[INVITATION_TEXT_MAX + 1];

    (void)state;
    write_line(&invitation, text);
    for (size_t len = 0; len < strlen(text); len++) {
        memcpy(cut, text, len);
        cut[len] = '\0';
        check_refused(cut);
    }
    check_refused(strcat(text, "A"));
}

/* RFC 4648, section 3.5: of the last character only some bits count; the others must be zero. */
static void any_changed_character_is_refused_or_seen(void **state)
{
    static const char others[] = "A_-Zz09+/= .:]\x01\xff";
    struct invitation invitation = sample("relay.example", true), read;
    char text[INVITATION_TEXT_MAX + 1];

    (void)state;
    write_line(&invitation, text);
    for (size_t i = 0; i < strlen(text); i++) {
        for (size_t k = 0; k < sizeof(others) - 1; k++) {
            char before = text[i];

            if (before == others[k])
                continue;
            text[i] = others[k];
            if (invitation_read(text, &read) == SIGNET_OK)
                CHECK(!same(&invitation, &read));
            text[i] = before;
        }
    }
}

static void unused_bits_of_the_last_character_are_zero(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char text[INVITATION_TEXT_MAX + 1];
    size_t accepted;

    (void)state;
    for (int has_operator = 0; has_operator < 2; has_operator++) {
        struct invitation invitation = sample("relay.example", has_operator == 1), read;

        write_line(&invitation, text);
        accepted = 0;
        for (size_t i = 0; i < 64; i++) {
            text[strlen(text) - 1] = alphabet[i];
            accepted += invitation_read(text, &read) == SIGNET_OK;
        }
        /* Four bits of it count: those of the null, or of a byte that may have any value. */
        CHECK(accepted == (has_operator == 1 ? 16 : 1));
    }
}

static void other_lines_are_refused(void **state)
{
    struct invitation invitation = sample("h", false);
    char text[INVITATION_TEXT_MAX + 1], line[INVITATION_TEXT_MAX + 512];
    static const char *const starts[] = {"signet:/h:1/", "SIGNET://h:1/", "http://h:1/",
        "signet://:1/", "signet://h/", "signet://h:/", "signet://h:0/", "signet://h:01/",
        "signet://h:65536/", "signet://h:99999999999/", "signet://h:-1/", "signet://h:1 /",
        "signet://h:1//", "signet://h:1:1/", "signet://h h:1/", "signet://h%20:1/",
        "signet://[h]:1/", "signet://[::1:1/", "signet://::1:1/", "signet://[::1]1/",
        "signet://[]:1/", "signet://[1.2.3.4]:1/", "signet://u@h:1/", "signet://h:1/?",
        "signet://\x1b[2J:1/", ""};
    const char *data;

    (void)state;
    write_line(&invitation, text);
    data = strrchr(text, '/') + 1;
    (void)snprintf(line, sizeof(line), "signet://h:65535/%s", data);
    CHECK_OK(invitation_read(line, &invitation));
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        (void)snprintf(line, sizeof(line), "%s%s", starts[i], data);
        check_refused(line);
    }
    (void)snprintf(line, sizeof(line), "signet://h:1/%s==", data);
    check_refused(line);
    (void)snprintf(line, sizeof(line), "signet://h:1/%s %s", data, data);
    check_refused(line);
    memset(line, 'A', sizeof(line));
    memcpy(line, "signet://h:1/", 13);
    line[INVITATION_TEXT_MAX] = '\0';
    check_refused(line);
}

static void a_host_that_cannot_be_read_is_not_written(void **state)
{
    static const char *const hosts[] = {"", " ", "a b", "[::1]", "a/b", "a@b", "caf\xc3\xa9", "x:"};
    struct signet_buf buf = {0};
    struct invitation invitation;

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        invitation = sample(hosts[i], false);
        CHECK_ERR(invitation_write(&invitation, &buf), SIGNET_ERR_ARGUMENT);
    }
    invitation = sample("h", false);
    invitation.port = 0;
    CHECK_ERR(invitation_write(&invitation, &buf), SIGNET_ERR_ARGUMENT);
    memset(invitation.host, 'h', sizeof(invitation.host));
    invitation.port = 1;
    CHECK_ERR(invitation_write(&invitation, &buf), SIGNET_ERR_ARGUMENT);
    CHECK(buf.len == 0);
    signet_buf_free(&buf);
}

TEST_FILE(invitation)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_is_read_as_it_was_written),
        cmocka_unit_test(the_line_has_the_documented_form),
        cmocka_unit_test(surrounding_space_is_passed_over),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(any_changed_character_is_refused_or_seen),
        cmocka_unit_test(unused_bits_of_the_last_character_are_zero),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(a_host_that_cannot_be_read_is_not_written),
    };

    return cmocka_run_group_tests_name("invitation", tests, NULL, NULL);
}
