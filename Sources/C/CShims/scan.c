#include "cshims.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint32_t table[256];
static void __attribute__((constructor)) fill_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = (c >> 1) ^ (0x82F63B78u & (0u - (c & 1)));
        table[i] = c;
    }
}
#if defined(__x86_64__)
static uint32_t __attribute__((target("sse4.2"))) crc_hardware(uint32_t crc, const uint8_t *p, size_t n) {
    uint64_t c = crc;
    for (; n >= 8; n -= 8, p += 8) { uint64_t v; memcpy(&v, p, 8); c = _mm_crc32_u64(c, v); }
    uint32_t r = (uint32_t)c;
    for (; n; n--, p++) r = _mm_crc32_u8(r, *p);
    return r;
}
#endif
uint32_t cshims_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~crc_hardware(crc, p, count);
#endif
    for (; count; count--, p++) crc = (crc >> 8) ^ table[(crc ^ *p) & 0xFF];
    return ~crc;
}

size_t cshims_json_string_end(const uint8_t *bytes, size_t from, size_t count, bool *high) {
    size_t i = from;
#if defined(__x86_64__)
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), limit = _mm_set1_epi8(0x1F);
    for (; i + 16 <= count; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(bytes + i));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, limit), v);
        __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash));
        int stop = _mm_movemask_epi8(_mm_or_si128(control, ends));
        int top = _mm_movemask_epi8(v);
        if (stop) {
            int at = __builtin_ctz((unsigned)stop);
            if (top & ((1 << at) - 1)) *high = true;
            return i + (size_t)at;
        }
        if (top) *high = true;
    }
#endif
    for (; i < count; i++) {
        uint8_t b = bytes[i];
        if (b == '"' || b == '\\' || b < 0x20) return i;
        if (b >= 0x80) *high = true;
    }
    return count;
}

size_t cshims_find3(const uint8_t *bytes, size_t from, size_t count, uint8_t a, uint8_t b, uint8_t c) {
    size_t i = from;
#if defined(__x86_64__)
    const __m128i x = _mm_set1_epi8((char)a), y = _mm_set1_epi8((char)b), z = _mm_set1_epi8((char)c);
    for (; i + 16 <= count; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(bytes + i));
        __m128i two = _mm_or_si128(_mm_cmpeq_epi8(v, x), _mm_cmpeq_epi8(v, y));
        int hit = _mm_movemask_epi8(_mm_or_si128(two, _mm_cmpeq_epi8(v, z)));
        if (hit) return i + (size_t)__builtin_ctz((unsigned)hit);
    }
#endif
    for (; i < count; i++) if (bytes[i] == a || bytes[i] == b || bytes[i] == c) return i;
    return count;
}

bool cshims_utf8_valid(const uint8_t *s, size_t n) {
    size_t i = 0;
    while (i < n) {
        if (i + 8 <= n) {
            uint64_t v; memcpy(&v, s + i, 8);
            if (!(v & 0x8080808080808080ull)) { i += 8; continue; }
        }
        uint8_t b = s[i];
        if (b < 0x80) { i++; continue; }
        size_t k; uint32_t low;
        if (b >= 0xC2 && b <= 0xDF) { k = 1; low = b & 0x1F; }
        else if (b >= 0xE0 && b <= 0xEF) { k = 2; low = b & 0x0F; }
        else if (b >= 0xF0 && b <= 0xF4) { k = 3; low = b & 0x07; }
        else return false;
        if (i + k >= n) return false;
        for (size_t j = 1; j <= k; j++) {
            if ((s[i + j] & 0xC0) != 0x80) return false;
            low = (low << 6) | (s[i + j] & 0x3F);
        }
        if (k == 2 && (low < 0x800 || (low >= 0xD800 && low <= 0xDFFF))) return false;
        if (k == 3 && (low < 0x10000 || low > 0x10FFFF)) return false;
        i += k + 1;
    }
    return true;
}
