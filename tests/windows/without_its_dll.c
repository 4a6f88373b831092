/* SPDX-License-Identifier: MIT
 * Ends well, if it is ever started (check_crash.py). */
#include "absent.h"

int main(void)
{
    return absent_number();
}
