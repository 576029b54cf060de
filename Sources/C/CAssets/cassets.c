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
static const uint8_t counters_js[] = {
#embed "assets/counters.js"
};
static const uint8_t held_js[] = {
#embed "assets/held.js"
};
static const uint8_t proof_js[] = {
#embed "assets/proof.js"
};
static const uint8_t senders_js[] = {
#embed "assets/senders.js"
};
static const uint8_t turnover_js[] = {
#embed "assets/turnover.js"
};
static const uint8_t streams_css[] = {
#embed "assets/streams.css"
};
static const uint8_t icon[] = {
#embed "assets/icon.svg"
};
static const uint8_t app_js[] = {
#embed "assets/app.js"
};
static const uint8_t api_js[] = {
#embed "assets/api.js"
};
static const uint8_t charts_js[] = {
#embed "assets/charts.js"
};
static const uint8_t customers_js[] = {
#embed "assets/customers.js"
};
static const uint8_t dom_js[] = {
#embed "assets/dom.js"
};
static const uint8_t filter_js[] = {
#embed "assets/filter.js"
};
static const uint8_t format_js[] = {
#embed "assets/format.js"
};
static const uint8_t invoice_js[] = {
#embed "assets/invoice.js"
};
static const uint8_t live_js[] = {
#embed "assets/live.js"
};
static const uint8_t loyal_js[] = {
#embed "assets/loyal.js"
};
static const uint8_t products_js[] = {
#embed "assets/products.js"
};
static const uint8_t quarantine_js[] = {
#embed "assets/quarantine.js"
};
static const uint8_t refresh_js[] = {
#embed "assets/refresh.js"
};
static const uint8_t state_js[] = {
#embed "assets/state.js"
};
static const uint8_t time_js[] = {
#embed "assets/time.js"
};
static const uint8_t totals_js[] = {
#embed "assets/totals.js"
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
    {"/streams.css", "text/css; charset=utf-8", streams_css, sizeof streams_css},
    {"/icon.svg", "image/svg+xml", icon, sizeof icon},
    {"/app.js", "text/javascript; charset=utf-8", app_js, sizeof app_js},
    {"/api.js", "text/javascript; charset=utf-8", api_js, sizeof api_js},
    {"/charts.js", "text/javascript; charset=utf-8", charts_js, sizeof charts_js},
    {"/customers.js", "text/javascript; charset=utf-8", customers_js, sizeof customers_js},
    {"/dom.js", "text/javascript; charset=utf-8", dom_js, sizeof dom_js},
    {"/filter.js", "text/javascript; charset=utf-8", filter_js, sizeof filter_js},
    {"/format.js", "text/javascript; charset=utf-8", format_js, sizeof format_js},
    {"/invoice.js", "text/javascript; charset=utf-8", invoice_js, sizeof invoice_js},
    {"/live.js", "text/javascript; charset=utf-8", live_js, sizeof live_js},
    {"/loyal.js", "text/javascript; charset=utf-8", loyal_js, sizeof loyal_js},
    {"/products.js", "text/javascript; charset=utf-8", products_js, sizeof products_js},
    {"/quarantine.js", "text/javascript; charset=utf-8", quarantine_js, sizeof quarantine_js},
    {"/refresh.js", "text/javascript; charset=utf-8", refresh_js, sizeof refresh_js},
    {"/counters.js", "text/javascript; charset=utf-8", counters_js, sizeof counters_js},
    {"/held.js", "text/javascript; charset=utf-8", held_js, sizeof held_js},
    {"/proof.js", "text/javascript; charset=utf-8", proof_js, sizeof proof_js},
    {"/senders.js", "text/javascript; charset=utf-8", senders_js, sizeof senders_js},
    {"/turnover.js", "text/javascript; charset=utf-8", turnover_js, sizeof turnover_js},
    {"/state.js", "text/javascript; charset=utf-8", state_js, sizeof state_js},
    {"/time.js", "text/javascript; charset=utf-8", time_js, sizeof time_js},
    {"/totals.js", "text/javascript; charset=utf-8", totals_js, sizeof totals_js},
#ifdef CASSETS_CHART
    {"/vendor/chart.min.js", "text/javascript; charset=utf-8", chart, sizeof chart},
#endif
};

cassets_file cassets_at(int index) {
    if (index < 0 || (size_t)index >= sizeof files / sizeof files[0]) return (cassets_file){0, 0, 0, 0};
    return files[index];
}
