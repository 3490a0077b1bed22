/*
 * io/tls_records against anything: what it makes of bytes cannot depend on how they arrive, and no
 * record claims more than 64 KiB. The first byte says where the input is cut.
 */
#include <signet/span.h>

#include "fuzz/fuzz.h"

#include "io/tls_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_records whole = {0}, cut = {0};
    signet_span in = signet_span_of(data, size);
    bool is_taken, is_cut_taken;
    size_t step;

    if (size == 0)
        return 0;
    step = 1 + data[0] % 16;
    in = signet_span_from(in, 1);
    is_taken = tls_records_take(&whole, in.ptr, in.len);
    do {
        size_t len = in.len < step ? in.len : step;

        is_cut_taken = tls_records_take(&cut, in.ptr, len);
        in = signet_span_from(in, len);
    } while (is_cut_taken && in.len > 0);
    FUZZ_REQUIRE(is_taken == is_cut_taken);
    FUZZ_REQUIRE(!is_taken || (whole.left == cut.left && whole.left <= UINT16_MAX));
    FUZZ_REQUIRE(!is_taken || whole.head_len == cut.head_len);
    return 0;
}
