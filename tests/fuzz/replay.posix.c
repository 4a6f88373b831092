/* SPDX-License-Identifier: MIT
 * Runs a fuzz target over the files of folders, without a fuzzer: the corpora and what was once
 * found are ordinary tests. Each file is run whole and cut at every length, in memory that ends
 * where the input ends.
 *
 *   replay_NAME FOLDER|FILE... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define FILE_MAX 65536u
#define PATH_SIZE 4096

static uint32_t file_count;

/* The name stands on standard output, so that a finding tells which file it was. */
static void run_input(const char *path, const uint8_t *bytes, size_t size)
{
    printf("%s, %zu bytes\n", path, size);
    (void)fflush(stdout);
    for (size_t length = 0; length <= size; length++) {
        uint8_t *copy = malloc(length > 0 ? length : 1);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, bytes, length);
        (void)LLVMFuzzerTestOneInput(copy, length);
        free(copy);
    }
    file_count++;
}

static bool run_file(const char *path)
{
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        return false;
    }
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    bool whole = feof(file) != 0;
    (void)fclose(file);
    if (!whole) {
        (void)fprintf(stderr, "%s has more than %u bytes\n", path, FILE_MAX - 1);
        return false;
    }
    run_input(path, bytes, size);
    return true;
}

static bool run_folder(const char *path, DIR *folder)
{
    bool good = true;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char name[PATH_SIZE];
        if (entry->d_name[0] != '.') {
            (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            good = run_file(name) && good;
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder != NULL) {
            good = run_folder(argv[i], folder) && good;
            (void)closedir(folder);
        } else {
            good = run_file(argv[i]) && good;
        }
    }
    printf("%u files\n", file_count);
    return good && file_count > 0 ? 0 : 1;
}
