/* The terminal that text is shown on. */
#include "term/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { COLUMNS_DEFAULT = 80 };

size_t screen_columns(void)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col == 0 ? COLUMNS_DEFAULT : size.ws_col;
}

size_t screen_width(uint32_t code_point)
{
    int width = wcwidth((wchar_t)code_point);
    bool is_picture = (code_point >= 0x2600 && code_point <= 0x27bf) ||
                      (code_point >= 0x1f000 && code_point <= 0x1ffff);

    if (width < 0 || is_picture)
        return 2; /* newer than our C library, or a picture: some terminals make it wide */
    if (code_point == 0xfe0f || (code_point >= 0x1160 && code_point <= 0x11ff))
        return 1; /* makes a picture wide; a letter of a syllable, which not all put together */
    return (size_t)width;
}
