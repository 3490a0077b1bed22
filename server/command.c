/* Messages to the person at the command line, and numbers from it. */
#include "server/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int complain(int code, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = '?';
    (void)fprintf(stderr, "signetd: %s\n", text);
    return code;
}

enum signet_err parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t number;

    if (digits == 0 || digits > 18 || text[digits] != '\0')
        return SIGNET_ERR_FORMAT;
    number = strtoull(text, NULL, 10);
    if (number < min || number > max)
        return SIGNET_ERR_LIMIT;
    *out = number;
    return SIGNET_OK;
}

enum signet_err parse_duration(const char *text, uint64_t *ms_out)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    const uint64_t longest = UINT64_C(3650) * 86400;
    size_t digits = strspn(text, "0123456789");
    uint64_t number;

    if (digits == 0 || digits > 9 || strlen(text) != digits + 1)
        return SIGNET_ERR_FORMAT;
    number = strtoull(text, NULL, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit != text[digits])
            continue;
        if (number == 0 || number > longest / units[i].seconds)
            return SIGNET_ERR_FORMAT;
        *ms_out = number * units[i].seconds * 1000;
        return SIGNET_OK;
    }
    return SIGNET_ERR_FORMAT;
}
