/* Text from others: whatever comes in, nothing that drives a terminal comes out. */
#include "fuzz/fuzz.h"

#include "base/utf8.h"
#include "term/json.h"
#include "term/text.h"

static bool is_shown_letter(uint32_t c)
{
    return c > 0x7f && !text_is_unsafe(c);
}

/* A joiner of a body works on the letters beside it. */
static bool is_joiner_at_work(uint32_t c, uint32_t before, signet_span behind)
{
    uint32_t next = 0;

    return (c == 0x200c || c == 0x200d) && is_shown_letter(before) && behind.len > 0 &&
           utf8_decode(behind, &next) > 0 && is_shown_letter(next);
}

/* Every character is one that a terminal may be given. */
static void check_safe(signet_span text, bool is_body)
{
    uint32_t before = 0;

    while (text.len > 0) {
        uint32_t c = 0;
        size_t len = utf8_decode(text, &c);

        FUZZ_REQUIRE(len > 0);
        text = signet_span_from(text, len);
        FUZZ_REQUIRE(!text_is_unsafe(c) ||
                     (is_body && (c == '\n' || c == '\t' || is_joiner_at_work(c, before, text))));
        before = c;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    signet_span text = signet_span_of(data, size);
    struct signet_buf out = {0};
    struct json json;

    FUZZ_REQUIRE(text_show(text, TEXT_LINE, &out) == SIGNET_OK);
    check_safe(signet_buf_span(&out), false);
    signet_buf_truncate(&out, 0);
    FUZZ_REQUIRE(text_show(text, TEXT_BODY, &out) == SIGNET_OK);
    check_safe(signet_buf_span(&out), true);
    signet_buf_truncate(&out, 0);
    json_begin(&json, &out);
    json_string(&json, NULL, text);
    FUZZ_REQUIRE(json_finish(&json) == SIGNET_OK);
    check_safe(signet_buf_span(&out), false);
    signet_buf_free(&out);
    return 0;
}
