// The built-in contracts, embedded at build time from the folder Contracts at the root of the repository.
#include "cassets.h"

static const uint8_t invoices[] = {
#embed "../../../Contracts/invoices.yaml"
};
static const uint8_t invoices_compat[] = {
#embed "../../../Contracts/invoices-compat.yaml"
};
static const uint8_t pos[] = {
#embed "../../../Contracts/pos.yaml"
};
static const uint8_t pos_compat[] = {
#embed "../../../Contracts/pos-compat.yaml"
};
static const uint8_t orders[] = {
#embed "../../../Contracts/orders.yaml"
};
static const uint8_t users[] = {
#embed "../../../Contracts/users.yaml"
};
static const uint8_t restaurants[] = {
#embed "../../../Contracts/restaurants.yaml"
};
static const cassets_file contracts[] = {
    {"invoices", "application/yaml", invoices, sizeof invoices},
    {"invoices-compat", "application/yaml", invoices_compat, sizeof invoices_compat},
    {"pos", "application/yaml", pos, sizeof pos},
    {"pos-compat", "application/yaml", pos_compat, sizeof pos_compat},
    {"orders", "application/yaml", orders, sizeof orders},
    {"users", "application/yaml", users, sizeof users},
    {"restaurants", "application/yaml", restaurants, sizeof restaurants},
};

cassets_file cassets_contract_at(int index) {
    if (index < 0 || (size_t)index >= sizeof contracts / sizeof contracts[0]) return (cassets_file){0, 0, 0, 0};
    return contracts[index];
}
