/* A C++ program against the installed library: it names every exported function (functions.inc is
 * made of the library's symbols), uses some of each kind, and prints the version. */
#include <cstdio>
#include <cstring>

#include <signet/signet.h>

typedef void function();
#define EACH(name) reinterpret_cast<function *>(name),
static function *const functions[] = {
#include "functions.inc"
};
#undef EACH

/* Out, owned by C, and back. */
static bool library_works()
{
    signet_library *library = nullptr;
    signet_buf text = {};
    signet_id id = {}, same = {};
    char digits[SIGNET_ID_TEXT_SIZE];

    if (signet_library_new(nullptr, &library) != SIGNET_OK)
        return false;
    std::memset(id.b, 0x5a, sizeof(id.b));
    signet_id_text(&id, digits);
    bool works = signet_buf_append(&text, signet_span_str(digits)) == SIGNET_OK &&
                 signet_buf_span(&text).len == 2 * SIGNET_ID_LEN &&
                 signet_id_parse(digits, &same) == SIGNET_OK && signet_id_equal(&id, &same) &&
                 signet_id_parse("no id", &same) == SIGNET_ERR_FORMAT;
    signet_buf_free(&text);
    signet_library_free(library);
    return works;
}

int main()
{
    for (function *each : functions)
        if (each == nullptr)
            return 1;
    if (sizeof(functions) / sizeof(functions[0]) < 20 || !library_works())
        return 1;
    std::puts(signet_version());
    return 0;
}
