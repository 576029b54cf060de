#pragma once
#include <stddef.h>
#include <stdint.h>

/// One file embedded in the binary at build time.
typedef struct { const char *path; const char *content_type; const uint8_t *bytes; size_t size; } cassets_file;
/// File number `index` (from 0), or a file with a null path after the last.
cassets_file cassets_at(int index);
/// Built-in contract number `index` (from 0; `path` is its name), or one with a null path after the last.
cassets_file cassets_contract_at(int index);
