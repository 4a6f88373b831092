/* SPDX-License-Identifier: MIT
 * Names and texts of the error codes, grown from the table in throng/error.h. Any thread. */
#include <throng/error.h>

const char *throng_error_text(int code)
{
    switch (code) {
    case THRONG_OK:
        return "success";
#define ERROR_TEXT(name, number, text)                                                             \
    case THRONG_##name:                                                                            \
        return text;
        THRONG_ERROR_MAP(ERROR_TEXT)
#undef ERROR_TEXT
    default:
        return "unknown error";
    }
}

const char *throng_error_name(int code)
{
    switch (code) {
    case THRONG_OK:
        return "THRONG_OK";
#define ERROR_NAME(name, number, text)                                                             \
    case THRONG_##name:                                                                            \
        return "THRONG_" #name;
        THRONG_ERROR_MAP(ERROR_NAME)
#undef ERROR_NAME
    default:
        return "THRONG_E?";
    }
}
