/* What every cmocka test file needs, in the order in which cmocka wants it. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signet/buffer.h>
#include <signet/error.h>

#define CHECK(condition)        assert_true(condition)
#define CHECK_OK(call)          assert_string_equal(signet_err_text(call), signet_err_text(SIGNET_OK))
#define CHECK_ERR(call, wanted) assert_string_equal(signet_err_text(call), signet_err_text(wanted))
#define CHECK_SPAN(span, text)  check_span((span), (text), __FILE__, __LINE__)

/* Opens what runs the tests of a file; its name as in the name of the file (see runner.h). */
#define TEST_FILE(name)                                                                            \
    int test_file_##name(void);                                                                    \
    int test_file_##name(void)

static inline void check_span(signet_span span, const char *text, const char *file, int line)
{
    if (!signet_span_equal(span, signet_span_str(text)))
        _fail(file, line);
}

#endif
