/* io/http: the opening handshake of WebSocket, RFC 6455, section 4. */
#include "tests/support/unit.h"

#include <stdio.h>

#include "io/http.h"

#define LINE    "GET /signet HTTP/1.1\r\n"
#define HOST    "Host: relay.example:7443\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define ALL     LINE HOST UPGRADE VERSION KEY

static int read_request(const char *text, struct http_request *request)
{
    size_t used = 0;
    enum http_status status = http_read_request(signet_span_str(text), request, &used);

    CHECK(status == HTTP_SWITCHING ? used == strlen(text) : used == 0);
    return (int)status;
}

static int status_of(const char *text)
{
    struct http_request request;

    return read_request(text, &request);
}

/* RFC 6455, section 1.3: the example's key and what answers it. */
static void the_request_of_the_rfc_gets_its_answer(void **state)
{
    struct http_request request;
    struct signet_buf out = {0};

    (void)state;
    CHECK(read_request(ALL "\r\n", &request) == HTTP_SWITCHING);
    assert_string_equal(request.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(!request.names_protocol);
    CHECK_OK(http_write_response(HTTP_SWITCHING, &request, &out));
    CHECK_SPAN(signet_buf_span(&out),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    signet_buf_free(&out);
}

static void other_headers_are_passed_over(void **state)
{
    struct http_request request;

    (void)state;
    CHECK(read_request(LINE "host:relay.example\r\nUser-Agent: x\r\nCookie: a=b\r\n"
                            "connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n" VERSION KEY
                            "Sec-WebSocket-Protocol: other , signet.v1\r\n"
                            "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
              &request) == HTTP_SWITCHING);
    CHECK(request.names_protocol);
}

/* A foreign Origin is refused, and no page of a browser is ours. */
static void no_origin_passes(void **state)
{
    (void)state;
    CHECK(status_of(ALL "Origin: https://evil.example\r\n\r\n") == HTTP_FORBIDDEN);
    CHECK(status_of(ALL "Origin: https://relay.example:7443\r\n\r\n") == HTTP_FORBIDDEN);
    CHECK(status_of(ALL "Origin: null\r\n\r\n") == HTTP_FORBIDDEN);
    CHECK(status_of(ALL "Origin:\r\n\r\n") == HTTP_FORBIDDEN);
}

static void refusals_name_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"POST /signet HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED},
        {"get /signet HTTP/1.1\r\n" HOST "\r\n", HTTP_METHOD_NOT_ALLOWED},
        {"GET / HTTP/1.1\r\n" HOST "\r\n", HTTP_NOT_FOUND},
        {"GET /signet?x HTTP/1.1\r\n" HOST "\r\n", HTTP_NOT_FOUND},
        {"GET /signet HTTP/1.0\r\n" HOST "\r\n", HTTP_BAD_REQUEST},
        {"GET  /signet HTTP/1.1\r\n" HOST "\r\n", HTTP_BAD_REQUEST},
        {"GET /signet\r\n\r\n", HTTP_BAD_REQUEST},
        {"\r\n\r\n", HTTP_BAD_REQUEST},
        {LINE UPGRADE VERSION KEY "\r\n", HTTP_BAD_REQUEST}, /* no Host */
        {ALL HOST "\r\n", HTTP_BAD_REQUEST},                 /* two of them */
        {ALL KEY "\r\n", HTTP_BAD_REQUEST},
        {ALL "Content-Length: 5\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL "Transfer-Encoding: chunked\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL " folded\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL "No-Colon\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL "Space : x\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL "X: \x01\r\n\r\n", HTTP_BAD_REQUEST},
        {ALL "X: a\nY: b\r\n\r\n", HTTP_BAD_REQUEST},
        {LINE HOST "\r\n", HTTP_UPGRADE_REQUIRED},
        {LINE HOST UPGRADE KEY "\r\n", HTTP_UPGRADE_REQUIRED},
        {LINE HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", HTTP_UPGRADE_REQUIRED},
        {LINE HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" VERSION KEY "\r\n",
            HTTP_UPGRADE_REQUIRED},
        {LINE HOST UPGRADE VERSION "\r\n", HTTP_BAD_REQUEST},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: short\r\n\r\n", HTTP_BAD_REQUEST},
        /* Bits behind the 16 bytes that base64 leaves open. */
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n\r\n",
            HTTP_BAD_REQUEST},
        {LINE HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n\r\n",
            HTTP_BAD_REQUEST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (status_of(cases[i].text) != cases[i].status)
            fail_msg("case %zu: %d", i, status_of(cases[i].text));
}

static void every_refusal_is_written_and_closes(void **state)
{
    static const enum http_status statuses[] = {HTTP_BAD_REQUEST, HTTP_FORBIDDEN, HTTP_NOT_FOUND,
        HTTP_METHOD_NOT_ALLOWED, HTTP_UPGRADE_REQUIRED, HTTP_HEAD_TOO_LARGE};

    (void)state;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct signet_buf out = {0};
        char start[32];
        size_t used = 0;

        CHECK_OK(http_write_response(statuses[i], NULL, &out));
        snprintf(start, sizeof(start), "HTTP/1.1 %d ", (int)statuses[i]);
        CHECK(memcmp(out.ptr, start, strlen(start)) == 0);
        CHECK(memmem(out.ptr, out.len, "Connection: close\r\n", 19) != NULL);
        CHECK(http_read_response(signet_buf_span(&out), "", &used) == (int)statuses[i]);
        signet_buf_free(&out);
    }
}

static void every_prefix_of_a_request_needs_more(void **state)
{
    static const char text[] = ALL "\r\n";
    struct http_request request;
    size_t used = 0;

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        CHECK(http_read_request(signet_span_of(text, len), &request, &used) == HTTP_NEED_MORE);
    CHECK(http_read_request(signet_span_str(ALL "\r\nframes"), &request, &used) == HTTP_SWITCHING);
    CHECK(used == sizeof(text) - 1);
}

/* Memory before login is bounded. */
static void an_endless_head_is_refused_at_the_bound(void **state)
{
    struct signet_buf in = {0};
    struct http_request request;
    size_t used = 0;

    (void)state;
    CHECK_OK(signet_buf_append(&in, signet_span_str(ALL "X: ")));
    CHECK_OK(signet_buf_fill(&in, 'x', HTTP_HEAD_MAX - 1 - in.len));
    CHECK(http_read_request(signet_buf_span(&in), &request, &used) == HTTP_NEED_MORE);
    CHECK_OK(signet_buf_append(&in, signet_span_str("x\r\n\r\n")));
    CHECK(http_read_request(signet_buf_span(&in), &request, &used) == HTTP_HEAD_TOO_LARGE);
    signet_buf_free(&in);
}

static void both_sides_understand_each_other(void **state)
{
    static const uint8_t nonce[HTTP_NONCE_LEN] = "0123456789abcde";
    struct signet_buf request_text = {0}, response_text = {0};
    struct http_request request;
    char accept[HTTP_ACCEPT_SIZE];
    size_t used = 0;

    (void)state;
    CHECK_OK(http_write_request("[2001:db8::1]:7443", nonce, &request_text, accept));
    CHECK(http_read_request(signet_buf_span(&request_text), &request, &used) == HTTP_SWITCHING);
    CHECK(used == request_text.len && request.names_protocol);
    CHECK_OK(http_write_response(HTTP_SWITCHING, &request, &response_text));
    for (size_t len = 0; len < response_text.len; len++)
        CHECK(http_read_response(signet_span_of(response_text.ptr, len), accept, &used) ==
              HTTP_NEED_MORE);
    CHECK(http_read_response(signet_buf_span(&response_text), accept, &used) == HTTP_SWITCHING);
    CHECK(used == response_text.len);
    accept[0] = accept[0] == 'A' ? 'B' : 'A';
    CHECK(http_read_response(signet_buf_span(&response_text), accept, &used) == HTTP_MALFORMED);
    signet_buf_free(&request_text);
    signet_buf_free(&response_text);
}

/* Section 4.1, the client's checks of the answer. */
static void answers_that_do_not_fit_are_malformed(void **state)
{
#define ANSWER "HTTP/1.1 101 x\r\n" UPGRADE "Sec-WebSocket-Accept: right\r\n"
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {ANSWER "\r\n", HTTP_SWITCHING},
        {ANSWER "Sec-WebSocket-Protocol: signet.v1\r\n\r\n", HTTP_SWITCHING},
        {ANSWER "Sec-WebSocket-Protocol: other\r\n\r\n", HTTP_MALFORMED},
        {ANSWER "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 101 x\r\n" UPGRADE "\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 101 x\r\nSec-WebSocket-Accept: right\r\n\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 1 x\r\n\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 099 x\r\n\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 2000 x\r\n\r\n", HTTP_MALFORMED},
        {"SSH-2.0-x\r\n\r\n", HTTP_MALFORMED},
        {"HTTP/1.1 503 Busy\r\n\r\n", 503},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t used = 0;
        int status = http_read_response(signet_span_str(cases[i].text), "right", &used);

        if (status != cases[i].status)
            fail_msg("case %zu: %d", i, status);
    }
}

static void an_authority_cannot_smuggle_a_header(void **state)
{
    static const uint8_t nonce[HTTP_NONCE_LEN] = {0};
    char accept[HTTP_ACCEPT_SIZE];
    struct signet_buf out = {0};

    (void)state;
    CHECK_ERR(http_write_request("a\r\nX: y", nonce, &out, accept), SIGNET_ERR_ARGUMENT);
    CHECK_ERR(http_write_request("", nonce, &out, accept), SIGNET_ERR_ARGUMENT);
    CHECK(out.len == 0);
}

TEST_FILE(http)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_of_the_rfc_gets_its_answer),
        cmocka_unit_test(other_headers_are_passed_over),
        cmocka_unit_test(no_origin_passes),
        cmocka_unit_test(refusals_name_what_is_wrong),
        cmocka_unit_test(every_refusal_is_written_and_closes),
        cmocka_unit_test(every_prefix_of_a_request_needs_more),
        cmocka_unit_test(an_endless_head_is_refused_at_the_bound),
        cmocka_unit_test(both_sides_understand_each_other),
        cmocka_unit_test(answers_that_do_not_fit_are_malformed),
        cmocka_unit_test(an_authority_cannot_smuggle_a_header),
    };

    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
