/* io/http against anything, as a request and as a response. */
#include "fuzz/fuzz.h"

#include "io/http.h"

static void as_request(signet_span in)
{
    struct http_request request = {0};
    struct signet_buf out = {0};
    size_t used = 0, again = 0;
    enum http_status status = http_read_request(in, &request, &used);

    if (status == HTTP_NEED_MORE) {
        FUZZ_REQUIRE(in.len < HTTP_HEAD_MAX);
        return;
    }
    FUZZ_REQUIRE(http_write_response(status, &request, &out) == SIGNET_OK);
    if (status == HTTP_SWITCHING) {
        /* One byte less is no request, and our own client takes the answer. */
        FUZZ_REQUIRE(used <= in.len && used <= HTTP_HEAD_MAX);
        FUZZ_REQUIRE(http_read_request(signet_span_of(in.ptr, used - 1), &request, &again) ==
                     HTTP_NEED_MORE);
        FUZZ_REQUIRE(
            http_read_response(signet_buf_span(&out), request.accept, &again) == HTTP_SWITCHING);
    }
    signet_buf_free(&out);
}

static void as_response(signet_span in)
{
    size_t used = 0;
    int status = http_read_response(in, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &used);

    FUZZ_REQUIRE(status >= HTTP_MALFORMED && status <= 999);
    FUZZ_REQUIRE(status == HTTP_SWITCHING ? used > 0 && used <= in.len : used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_request(signet_span_of(data, size));
    as_response(signet_span_of(data, size));
    return 0;
}
