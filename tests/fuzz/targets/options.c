/* SPDX-License-Identifier: MIT
 * What users write: endpoints and addresses, the server's options as numbers and as text, the
 * command line of throng-stress. The first byte says which of them the rest of the input is. */
#include "options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_script script = fuzz_script_open(data, size);
    if (size < 1 || size > FUZZ_TEXT_MAX) {
        return 0;
    }
    switch (fuzz_byte(&script) & 7) {
    case 0:
        fuzz_endpoint(&script);
        break;
    case 1:
        fuzz_option_text(&script);
        break;
    case 2:
        fuzz_numeric_address(&script);
        break;
    case 3:
        fuzz_address_bytes(&script);
        break;
    case 4:
        fuzz_stress_arguments(&script);
        break;
    default:
        fuzz_server_options(&script);
        break;
    }
    return 0;
}
