// The dashboard's files, embedded at build time with C23 #embed; the binary needs no files beside it.
// assets/vendor is not committed: scripts/assets copies it from a Debian package. Without it the path is not served and
// the page falls back to tables.
#include "cassets.h"

static const uint8_t page[] = {
#embed "assets/index.html"
};
static const uint8_t style[] = {
#embed "assets/app.css"
};
static const uint8_t icon[] = {
#embed "assets/icon.svg"
};
static const uint8_t script[] = {
#embed "assets/app.js"
};
#if __has_embed("assets/vendor/chart.min.js") == __STDC_EMBED_FOUND__
#define CASSETS_CHART 1
static const uint8_t chart[] = {
#embed "assets/vendor/chart.min.js"
};
#endif

static const cassets_file files[] = {
    {"/", "text/html; charset=utf-8", page, sizeof page},
    {"/app.css", "text/css; charset=utf-8", style, sizeof style},
    {"/icon.svg", "image/svg+xml", icon, sizeof icon},
    {"/app.js", "text/javascript; charset=utf-8", script, sizeof script},
#ifdef CASSETS_CHART
    {"/vendor/chart.min.js", "text/javascript; charset=utf-8", chart, sizeof chart},
#endif
};

cassets_file cassets_at(int index) {
    if (index < 0 || (size_t)index >= sizeof files / sizeof files[0]) return (cassets_file){0, 0, 0, 0};
    return files[index];
}
