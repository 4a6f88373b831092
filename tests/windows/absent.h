/* SPDX-License-Identifier: MIT
 * A function of a DLL that nobody puts beside the program. */
#ifndef TEST_WINDOWS_ABSENT_H
#define TEST_WINDOWS_ABSENT_H

__declspec(dllexport) int absent_number(void);

#endif
