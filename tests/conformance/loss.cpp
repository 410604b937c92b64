#include "mapping.hpp"

Family loss_mappings()
{
    return {{}, {}};
}
