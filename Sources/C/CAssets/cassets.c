#include "cassets.h"

cassets_file cassets_at(int index) {
    (void)index;
    return (cassets_file){0, 0, 0, 0};
}
